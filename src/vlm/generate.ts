import { allAborted, throwIfAborted } from './decoding/abort.js'
import { decode, openingTokens } from './decoding/decode.js'
import { isFused } from './decoding/fused-decoder.js'
import type { PrefillContext } from './decoding/prefill.js'
import type { ImageState } from './decoding/prefix-cache.js'
import { type DecodeStream, openStreams } from './decoding/streams.js'
import type { Graphs } from './graphs.js'
import { type PreparedRequest, prepare } from './prepare.js'
import type { GenerateRequest, Generation } from './request.js'
import { type Interval, interval } from './stages.js'
import { stopwatch } from './stopwatch.js'
import { orTooSlow } from './time-limit.js'
import { MAX_DECODE_MS, type Tokenizer } from './tokens/tokenizer.js'

export type Context = PrefillContext &
  Graphs & {
    /** Most pixels of the tiles in one run of the vision encoder. */
    pixelsPerRun: number
  }
type Outcome = PromiseSettledResult<Generation>

/**
 * Fewer prompts than this are decoded one after the other. A prompt alone feeds forced tokens and draft tokens along
 * with chosen ones, and a box takes 7 runs after its prefill. In a batch every token takes a run, and only with three
 * prompts or more does sharing the runs make up for that.
 */
const MIN_BATCH = 3
/** More prompts than this are split into several batches: the time of a run grows with each further row. */
const MAX_BATCH = 8

/**
 * From requests to answers: reads the images, encodes their tiles, prefills the prompts and decodes the answers.
 * Requests for the same image share what is computed of it, in the same batch and in later ones. A request that fails
 * does not affect the others.
 */
export async function generateAll(requests: readonly GenerateRequest[], context: Context): Promise<Outcome[]> {
  const outcomes = new Outcomes()
  const known = new Map<string, ImageState>()
  const prepared: PreparedRequest[] = []
  for (const request of requests)
    await outcomes.attempt([request], async () => {
      prepared.push(await prepare(request, context.manifest, context.cache, known))
    })
  await outcomes.attempt(prepared.map(requestOf), async () => {
    const vision = await timedVision(prepared, context)
    for (const group of groupsOf(prepared, isFused(context.decoder)))
      await generateGroup(group, vision, context, outcomes)
  })
  return requests.map(request => outcomes.of(request))
}

const requestOf = ({ request }: PreparedRequest) => request

/**
 * Runs the vision encoder over all images that it has not seen yet, and fills in their `features`.
 * @returns the milliseconds that this took
 */
async function encodeImages(
  prepared: readonly PreparedRequest[],
  { vision, manifest, pixelsPerRun }: Context,
): Promise<number> {
  const clock = stopwatch()
  const signal = allAborted(prepared.map(({ request }) => request.signal))
  const images = new Set(prepared.flatMap(({ images }) => images))
  const unseen = [...images].flatMap(image => (image.processed ? [{ image, processed: image.processed }] : []))
  if (unseen.length === 0) return 0
  const processed = unseen.map(({ processed }) => processed)
  const features = await manifest.family.encode(vision, processed, pixelsPerRun, signal)
  for (const [i, { image }] of unseen.entries()) {
    image.features = features[i] ?? null
    image.processed = null
  }
  return clock()
}

/** What the vision encoder took for all requests: in milliseconds, and when, unless it had seen all images. */
export interface Vision {
  ms: number
  intervals: readonly Interval[]
}

/** `encodeImages`, and when it was at work. */
export async function timedVision(prepared: readonly PreparedRequest[], context: Context): Promise<Vision> {
  const start = performance.now()
  const ms = await encodeImages(prepared, context)
  return { ms, intervals: ms === 0 ? [] : [interval('vision', start)] }
}

/** Splits requests into groups. Those of one group are prefilled and decoded together. */
function groupsOf(prepared: readonly PreparedRequest[], canBatch: boolean): PreparedRequest[][] {
  const size = canBatch && prepared.length >= MIN_BATCH ? MAX_BATCH : 1
  const count = Math.ceil(prepared.length / size)
  return Array.from({ length: count }, (_, i) => prepared.slice(i * size, (i + 1) * size))
}

/**
 * Prefills and decodes the prompts of one group, and puts down their outcomes.
 * @param vision Of all requests.
 */
async function generateGroup(
  group: readonly PreparedRequest[],
  vision: Vision,
  context: Context,
  outcomes: Outcomes,
): Promise<void> {
  // requests that were aborted meanwhile fail here and are left out
  const alive: PreparedRequest[] = []
  for (const prepared of group)
    await outcomes.attempt([prepared.request], async () => {
      throwIfAborted(prepared.request.signal)
      alive.push(prepared)
    })
  if (alive.length === 0) return
  await outcomes.attempt(alive.map(requestOf), async () => {
    const clock = stopwatch()
    const start = performance.now()
    const prompts = alive.map(prepared => ({
      prepared,
      opening: openingTokens(prepared.request.grammar, prepared.maxNewTokens),
    }))
    const streams = await openStreams(prompts, context)
    const intervals = [...vision.intervals, interval('prefill', start)]
    const shared = { vision: vision.ms, prefill: clock(), group: { size: alive.length }, intervals }
    await Promise.all(
      alive.map((prepared, i) =>
        outcomes.attempt([prepared.request], async () => {
          outcomes.fulfil(prepared.request, await generateOne(prepared, streams[i] as DecodeStream, shared, context))
        }),
      ),
    )
  })
}

/** What all generations of a group have in common. */
type Shared = Pick<Generation['timings'], 'vision' | 'prefill'> & Pick<Generation, 'group' | 'intervals'>

/** Decodes the answer of one prompt that has been prefilled. */
async function generateOne(
  { request, images, ids, maxNewTokens, resolution, reused, timings, intervals }: PreparedRequest,
  { feed, canRewind, leave }: DecodeStream,
  { vision, prefill, group, intervals: shared }: Shared,
  { manifest: { family, eos } }: Context,
): Promise<Generation> {
  const { grammar, temperature, signal } = request
  const random = Math.random
  const clock = stopwatch()
  const start = performance.now()
  try {
    const decoded = await decode({ feed, canRewind, grammar, eos, maxNewTokens, temperature, random, signal })
    return {
      ...decoded,
      text: textOf(family.tokenizer, decoded.tokens),
      promptTokens: ids.length,
      tiles: images.reduce((sum, { grid }) => sum + grid.tiles, 0),
      size: images[0]?.size ?? { width: 0, height: 0 },
      reused,
      resolution,
      group,
      timings: { ...timings, vision, prefill, generate: clock() },
      intervals: [...intervals, ...shared, interval('generate', start)],
    }
  } finally {
    leave()
  }
}

function textOf(tokenizer: Tokenizer, tokens: readonly number[]): string {
  return orTooSlow(
    'model_failed',
    `The patterns of the model's tokenizer took longer than ${MAX_DECODE_MS} ms to write this answer. Ask in other words, or use another model.`,
    () => tokenizer.decode(tokens),
  )
}

/** The outcome of each request, gathered stage by stage. */
class Outcomes {
  private readonly settled = new Map<GenerateRequest, Outcome>()

  /**
   * Does work that all of `requests` need. If it throws, that becomes the outcome of those that have none yet; this
   * itself never throws.
   */
  async attempt(requests: readonly GenerateRequest[], work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      for (const request of requests)
        if (!this.settled.has(request))
          this.settled.set(request, { status: 'rejected', reason: ownReason(request, error) })
    }
  }

  fulfil(request: GenerateRequest, value: Generation): void {
    this.settled.set(request, { status: 'fulfilled', value })
  }

  of(request: GenerateRequest): Outcome {
    return this.settled.get(request) as Outcome
  }
}

/** Why a request failed if work shared with others threw `error`: its own abort, if it was aborted itself. */
function ownReason({ signal }: GenerateRequest, error: unknown): unknown {
  try {
    throwIfAborted(signal)
    return error
  } catch (reason) {
    return reason
  }
}
