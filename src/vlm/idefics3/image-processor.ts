import { type ImageSource, type RawImage, rawSource } from '../../image/decode.js'
import { scale } from '../resize/resize.js'
import type { TileGrid } from './grid.js'
import type { ProcessorConfig } from './processor-config.js'

/** An image resized and ready to be cut into tiles. */
export interface TiledImage {
  grid: TileGrid
  /** Of `grid.whole` size. */
  whole: RawImage
  /** The distorted image once more, as one tile; null if the image is a single tile. */
  global: RawImage | null
}

/**
 * Resizes as Idefics3's processor does (transformers 5.18, PIL backend): to the longest edge, then to whole tiles, then
 * the global view from the image that is distorted already; rounded to 8 bits after each step. `scale` says where the
 * pixels are Pillow's own and where they are only close.
 * @throws CropVlmError image_undecodable, from a source that is decoded only now
 */
export async function processImage(image: ImageSource, grid: TileGrid, { tile }: ProcessorConfig): Promise<TiledImage> {
  const scaled = rawSource(await scale(image, grid.scaled))
  const whole = await scale(scaled, grid.whole)
  const global = grid.rows === 0 ? null : await scale(rawSource(whole), { width: tile, height: tile })
  return { grid, whole, global }
}

/**
 * Writes the bytes of tile `index` (row by row, the global view last), `[tile, tile, 3]`, into `out` from `offset` on.
 */
export function copyTile(
  image: TiledImage,
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

/** Writes the tile as normalised floats, one plane a channel: `[3, tile, tile]`. */
export function writeTile(
  image: TiledImage,
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

/** Which image a tile is cut from, and where its top left corner is. */
function place({ grid, whole, global }: TiledImage, index: number, tile: number) {
  if (global !== null && index === grid.tiles - 1) return { source: global, left: 0, top: 0 }
  if (grid.cols === 0) return { source: whole, left: 0, top: 0 }
  return { source: whole, left: (index % grid.cols) * tile, top: Math.floor(index / grid.cols) * tile }
}

/** What each byte, 0..255, becomes by normalisation; rounded to 32 bits after each step, as numpy does. */
function normalised({ rescale, mean, std }: ProcessorConfig, channel: number): Float32Array {
  const centre = Math.fround(mean[channel] as number)
  const width = Math.fround(std[channel] as number)
  return Float32Array.from({ length: 256 }, (_, byte) => Math.fround(Math.fround(byte * rescale) - centre) / width)
}
