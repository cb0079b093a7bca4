import { type ImageSource, type RawImage, rawSource } from '../../image/decode.js'
import { scale } from '../resize/resize.js'
import { type Grid, tileGrid } from './grid.js'

/** What of `preprocessor_config.json` decides pixels. */
export interface ProcessorConfig {
  /** Edge of a square tile, in pixels. */
  tile: number
  /** Whether larger images are cut into tiles at all. */
  split: boolean
  /** For each channel, a byte becomes `(byte * rescale - mean) / std`. */
  rescale: number
  mean: readonly [number, number, number]
  std: readonly [number, number, number]
}

/** An image resized and ready to be cut. */
export interface ProcessedImage {
  grid: Grid
  /** Whole tiles each way. */
  whole: RawImage
  /** The distorted image once more, as one tile; null where the image is not split. */
  global: RawImage | null
}

/**
 * Resizes as Idefics3's processor does (transformers 5.18, PIL backend): longest edge, then whole tiles, then the
 * global view from the already distorted image; 8 bits between all of them. `scale` tells where the pixels are
 * Pillow's own and where nearly. Throws `image_undecodable`, from a source that is decoded only now.
 */
export async function processImage(
  image: RawImage | ImageSource,
  longestEdge: number,
  config: ProcessorConfig,
): Promise<ProcessedImage> {
  const { tile } = config
  const grid = tileGrid(image, longestEdge, tile)
  const scaled = rawSource(await scale('pixels' in image ? image : rawSource(image), grid.scaled))
  const square = { width: tile, height: tile }
  if (!config.split)
    return {
      grid: { ...grid, rows: 0, cols: 0, tiles: 1, whole: square },
      whole: await scale(scaled, square),
      global: null,
    }
  const whole = await scale(scaled, grid.whole)
  return { grid, whole, global: grid.rows === 0 ? null : await scale(rawSource(whole), square) }
}

/** Writes tile `index` (row-major, the global view last) as it is, `[tile, tile, 3]`, into `out` from `offset` on. */
export function copyTile(
  image: ProcessedImage,
  index: number,
  { tile }: ProcessorConfig,
  out: Uint8Array,
  offset: number,
): void {
  const { source, left, top } = place(image, index, tile)
  for (let y = 0; y < tile; y++) {
    const from = ((top + y) * source.width + left) * 3
    out.set(source.data.subarray(from, from + tile * 3), offset + y * tile * 3)
  }
}

/** The same as normalised planes, `[3, tile, tile]`. */
export function writeTile(
  image: ProcessedImage,
  index: number,
  config: ProcessorConfig,
  out: Float32Array,
  offset: number,
): void {
  const { tile } = config
  const { source, left, top } = place(image, index, tile)
  for (let channel = 0; channel < 3; channel++) {
    const table = normalised(config, channel)
    let target = offset + channel * tile * tile
    for (let y = 0; y < tile; y++) {
      let pixel = ((top + y) * source.width + left) * 3 + channel
      for (let x = 0; x < tile; x++, pixel += 3) out[target++] = table[source.data[pixel] as number] as number
    }
  }
}

/** Where a tile's pixels are. */
function place({ grid, whole, global }: ProcessedImage, index: number, tile: number) {
  if (global !== null && index === grid.tiles - 1) return { source: global, left: 0, top: 0 }
  if (grid.cols === 0) return { source: whole, left: 0, top: 0 }
  return { source: whole, left: (index % grid.cols) * tile, top: Math.floor(index / grid.cols) * tile }
}

/** The value of each byte after normalisation, rounded to 32 bits at each step as numpy rounds. */
function normalised({ rescale, mean, std }: ProcessorConfig, channel: number): Float32Array {
  const centre = Math.fround(mean[channel] as number)
  const width = Math.fround(std[channel] as number)
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte * rescale) - centre) / width)
}
