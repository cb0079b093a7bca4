import { CropVlmError } from '../../errors.js'
import { throwIfAborted } from '../decoding/abort.js'
import { floats, type Provider, type Session, type TensorValue } from '../onnx/session.js'
import { copyTile, type ProcessedImage, type ProcessorConfig, writeTile } from './image-processor.js'

/**
 * Most pixels of one run. On a CPU it is one 512-pixel tile, or as many smaller ones as have its pixels: a run cannot
 * be cancelled, and more tiles gain nothing. A GPU is kept busy by all 17 tiles of a square image at 2048.
 */
export const PIXELS_PER_RUN: Readonly<Record<Provider, number>> = { cpu: 512 ** 2, cuda: 17 * 512 ** 2 }

/** Features of all tiles, `[tiles * tokensPerTile, dim]`. */
export interface Features {
  data: Float32Array
  dim: number
}

/** A tile, and the image it is cut from. */
interface Tile {
  image: ProcessedImage
  index: number
}

/**
 * Encodes every tile of every image, in prompt order; tiles of several images share runs. `signal` is looked at
 * between runs. `pixel_values` is fed as the graph declares it:
 * bytes `[tiles, S, S, 3]` (ours: it normalises by itself), normalised floats `[tiles, 3, S, S]` (ours before), or
 * floats `[batch, tiles, 3, S, S]` with a mask of the pixels that are no padding, of which ours have none (the hub's).
 * Throws `invalid_model` for any other.
 */
export async function encodeTiles(
  session: Session,
  images: readonly ProcessedImage[],
  config: ProcessorConfig,
  signal: AbortSignal,
  pixelsPerRun: number = PIXELS_PER_RUN.cpu,
): Promise<Features> {
  const perRun = Math.max(Math.floor(pixelsPerRun / config.tile ** 2), 1)
  const tiles = images.flatMap(image => Array.from({ length: image.grid.tiles }, (_, index) => ({ image, index })))
  const parts: Float32Array[] = []
  let dim = 0
  for (let from = 0; from < tiles.length; from += perRun) {
    throwIfAborted(signal)
    const { image_features: features } = await session.run(feeds(session, tiles.slice(from, from + perRun), config))
    if (!features) throw new Error('the vision graph gave no image_features')
    dim = features.dims.at(-1) ?? 0
    parts.push(floats(features))
  }
  return { data: concat(parts), dim }
}

function feeds({ inputs }: Session, tiles: readonly Tile[], config: ProcessorConfig): Record<string, TensorValue> {
  const { type, shape } = inputs.get('pixel_values') ?? { type: 'missing', shape: [] }
  const { length } = tiles
  const { tile } = config
  if (type === 'uint8' && shape.length === 4)
    return { pixel_values: { data: bytesOf(tiles, config), dims: [length, tile, tile, 3] } }
  if (type.startsWith('float') && shape.length === 4)
    return { pixel_values: { data: planesOf(tiles, config), dims: [length, 3, tile, tile] } }
  if (type.startsWith('float') && shape.length === 5)
    return {
      pixel_values: { data: planesOf(tiles, config), dims: [1, length, 3, tile, tile] },
      pixel_attention_mask: { data: new Uint8Array(length * tile * tile).fill(1), dims: [1, length, tile, tile] },
    }
  throw new CropVlmError(
    'invalid_model',
    `The vision graph takes \`pixel_values\` as ${type} [${shape.join(', ')}]; only uint8 [tiles, S, S, 3] and floats of rank 4 or 5 can be fed. Export the model anew with \`cropvlm-train export\`.`,
  )
}

function bytesOf(tiles: readonly Tile[], config: ProcessorConfig): Uint8Array {
  const size = config.tile ** 2 * 3
  const bytes = new Uint8Array(tiles.length * size)
  for (const [i, { image, index }] of tiles.entries()) copyTile(image, index, config, bytes, i * size)
  return bytes
}

function planesOf(tiles: readonly Tile[], config: ProcessorConfig): Float32Array {
  const size = config.tile ** 2 * 3
  const planes = new Float32Array(tiles.length * size)
  for (const [i, { image, index }] of tiles.entries()) writeTile(image, index, config, planes, i * size)
  return planes
}

function concat(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts
  if (parts.length === 1 && only) return only
  const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
