import { throwIfAborted } from './abort.js'
import { type ProcessedImage, type ProcessorConfig, writeTile } from './processor.js'
import { floats, type Session } from './session.js'

// A run cannot be cancelled, so it holds about one 512-pixel tile; of smaller tiles as many as have its pixels.
const PIXELS_PER_RUN = 512 * 512

/** Features of all tiles, `[tiles * tokensPerTile, dim]`. */
export interface Features {
  data: Float32Array
  dim: number
}

/**
 * Encodes every tile of every image, in prompt order. Serves graphs that take `[tiles, 3, S, S]` and the hub's, which
 * take `[batch, tiles, 3, S, S]` with a mask of the pixels that are no padding (none of ours are).
 */
export async function encodeTiles(
  session: Session,
  images: readonly ProcessedImage[],
  config: ProcessorConfig,
  signal: AbortSignal,
): Promise<Features> {
  const { tile } = config
  const tileLength = 3 * tile * tile
  const perRun = Math.max(Math.floor(PIXELS_PER_RUN / (tile * tile)), 1)
  const tiles = images.flatMap(image => Array.from({ length: image.grid.tiles }, (_, index) => ({ image, index })))
  const parts: Float32Array[] = []
  let dim = 0
  for (let from = 0; from < tiles.length; from += perRun) {
    throwIfAborted(signal)
    const batch = tiles.slice(from, from + perRun)
    const pixels = new Float32Array(batch.length * tileLength)
    batch.forEach(({ image, index }, i) => {
      writeTile(image, index, config, pixels, i * tileLength)
    })
    const features = await runVision(session, pixels, batch.length, tile)
    dim = features.dims.at(-1) ?? 0
    parts.push(floats(features))
  }
  return { data: concat(parts), dim }
}

async function runVision(session: Session, pixels: Float32Array, count: number, tile: number) {
  const isHub = session.inputs.get('pixel_values')?.shape.length === 5
  const { image_features: features } = await session.run({
    pixel_values: { data: pixels, dims: isHub ? [1, count, 3, tile, tile] : [count, 3, tile, tile] },
    ...(isHub && {
      pixel_attention_mask: { data: new Uint8Array(count * tile * tile).fill(1), dims: [1, count, tile, tile] },
    }),
  })
  if (!features) throw new Error('the vision graph gave no image_features')
  return features
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
