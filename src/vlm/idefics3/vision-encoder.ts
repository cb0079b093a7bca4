import { CropVlmError } from '../../errors.js'
import { throwIfAborted } from '../decoding/abort.js'
import type { Features } from '../family.js'
import { floats, type Session, type TensorValue } from '../onnx/session.js'
import { copyTile, type TiledImage, writeTile } from './image-processor.js'
import type { ProcessorConfig } from './processor-config.js'

/** One tile of an image. */
interface Tile {
  image: TiledImage
  index: number
}

/**
 * Encodes every tile of every image. A run takes tiles in order, of several images where they fit.
 *
 * `pixel_values` is fed as the graph declares it. A graph that `cropvlm-train export` wrote takes bytes, `[tiles, S, S,
 * 3]`, and normalises them itself. A graph of the hub takes normalised floats, `[batch, tiles, 3, S, S]`, and a mask of
 * the pixels that are not padding: all of them, because tiles are never padded here.
 * @param pixelsPerRun Most pixels of one run, but at least one tile is taken.
 * @returns the features of all tiles in order, `[tiles * tokensPerTile, dim]`
 * @throws CropVlmError invalid_model if `pixel_values` is anything else; request_aborted, or the signal's own reason,
 * between two runs
 */
export async function encodeTiles(
  session: Session,
  images: readonly TiledImage[],
  config: ProcessorConfig,
  signal: AbortSignal,
  pixelsPerRun: number,
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
  if (type.startsWith('float') && shape.length === 5)
    return {
      pixel_values: { data: planesOf(tiles, config), dims: [1, length, 3, tile, tile] },
      pixel_attention_mask: { data: new Uint8Array(length * tile * tile).fill(1), dims: [1, length, tile, tile] },
    }
  throw new CropVlmError(
    'invalid_model',
    `The vision graph takes \`pixel_values\` as ${type} [${shape.join(', ')}]; only uint8 [tiles, S, S, 3] and floats of rank 5 can be fed. Export the model anew with \`cropvlm-train export\`.`,
  )
}

/** All tiles as bytes, `[tiles, S, S, 3]`. */
function bytesOf(tiles: readonly Tile[], config: ProcessorConfig): Uint8Array {
  const size = config.tile ** 2 * 3
  const bytes = new Uint8Array(tiles.length * size)
  for (const [i, { image, index }] of tiles.entries()) copyTile(image, index, config, bytes, i * size)
  return bytes
}

/** All tiles as normalised floats, `[tiles, 3, S, S]`. */
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
