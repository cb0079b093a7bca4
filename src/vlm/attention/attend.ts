/** Where a model looks: relative attention over an image, from two prefills (ViCrop). */
import { CropVlmError } from '../../errors.js'
import { throwIfAborted } from '../decoding/abort.js'
import { FusedDecoder } from '../decoding/fused-decoder.js'
import { prefillRows } from '../decoding/prefill.js'
import type { ImageState } from '../decoding/prefix-cache.js'
import { type Context, timedVision } from '../generate.js'
import { floats } from '../onnx/session.js'
import { type PreparedRequest, prepare } from '../prepare.js'
import type { GenerateRequest, Generation } from '../request.js'
import { interval } from '../stages.js'
import { stopwatch } from '../stopwatch.js'
import type { AttentionMap } from './box.js'
import { relative } from './map.js'

export interface AttentionRequest extends Pick<GenerateRequest, 'resolution' | 'signal'> {
  image: GenerateRequest['images'][number]
  /** The user's text, which follows the image. */
  text: string
  /** The text that its attention is divided by. */
  general: string
}

export interface ImageAttention
  extends Pick<Generation, 'resolution' | 'tiles' | 'size' | 'reused' | 'timings' | 'intervals'> {
  /** The relative attention of the prompt's last token, after which the answer would begin. */
  map: AttentionMap
  /** Edge of a tile, in pixels. */
  tile: number
  /** Runs of the decoder. */
  runs: number
}

type Outcome = PromiseSettledResult<ImageAttention>

/**
 * The attention over the image of each request, in their order. The image is encoded and prefilled once for both texts
 * of a request, and for all requests about it; the attention of the general text is computed once for an image.
 */
export async function attendAll(requests: readonly AttentionRequest[], context: Context): Promise<Outcome[]> {
  const known = new Map<string, ImageState>()
  const described: Described = new Map()
  const outcomes: Outcome[] = []
  for (const request of requests) {
    try {
      outcomes.push({ status: 'fulfilled', value: await attend(request, context, known, described) })
    } catch (reason) {
      outcomes.push({ status: 'rejected', reason })
    }
  }
  return outcomes
}

/** The attention of general texts, by image and text. */
type Described = Map<ImageState, Map<string, AttentionMap>>

async function attend(
  { image, text, general, resolution, signal }: AttentionRequest,
  context: Context,
  known: Map<string, ImageState>,
  described: Described,
): Promise<ImageAttention> {
  const { manifest, cache } = context
  if (manifest.attention === null)
    throw new CropVlmError(
      'invalid_model',
      `${manifest.info.id} does not tell where it looks; export it with \`cropvlm-train export --attention\`.`,
    )
  const request = (words: string): GenerateRequest => ({
    images: [image],
    text: words,
    resolution,
    maxNewTokens: 1,
    temperature: 0,
    grammar: null,
    signal,
  })
  const prepared = await prepare(request(text), manifest, cache, known)
  const [state] = prepared.images
  if (!state) throw new Error('a prompt without its image')
  const vision = await timedVision([prepared], context)
  const clock = stopwatch()
  const start = performance.now()
  let runs = 1
  const asked = await mapOf(prepared, state, context)
  const maps = described.get(state) ?? new Map<string, AttentionMap>()
  described.set(state, maps)
  let against = maps.get(general)
  if (!against) {
    throwIfAborted(signal)
    const ids = manifest.family.promptIds([state.grid], general)
    against = await mapOf({ ...prepared, request: request(general), ids }, state, context)
    maps.set(general, against)
    runs++
  }
  return {
    map: relative(asked, against),
    tile: manifest.family.tile,
    runs,
    resolution: prepared.resolution,
    tiles: state.grid.tiles,
    size: state.size,
    reused: prepared.reused,
    timings: { ...prepared.timings, vision: vision.ms, prefill: clock(), generate: 0 },
    intervals: [...prepared.intervals, ...vision.intervals, interval('prefill', start)],
  }
}

/** The attention of a prompt's last token over its image, the mean over the layers that the graph gives. */
async function mapOf(prepared: PreparedRequest, { grid }: ImageState, context: Context): Promise<AttentionMap> {
  const { family, cache } = context.manifest
  const { ids } = prepared
  const decoder = new FusedDecoder(context.decoder, 1, ids.length, cache, true)
  await prefillRows(context, decoder, [{ prepared, opening: [] }])
  const [, layers = 0, tokens = 0] = decoder.attention.dims
  const values = floats(decoder.attention)
  const mean = ids.map((_, token) => {
    let sum = 0
    for (let layer = 0; layer < layers; layer++) sum += values[layer * tokens + token] as number
    return sum / layers
  })
  const onImage = mean.filter((_, token) => ids[token] === family.imageToken)
  return family.attentionMap(grid, Float32Array.from(onImage))
}
