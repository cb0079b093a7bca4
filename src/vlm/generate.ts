import { allAborted, throwIfAborted } from './decoding/abort.js'
import { decode, openingTokens } from './decoding/decode.js'
import { isFused } from './decoding/fused-decoder.js'
import type { PrefillContext } from './decoding/prefill.js'
import type { KnownImage } from './decoding/prefix-cache.js'
import { type Feed, prefill } from './decoding/streams.js'
import { encodeTiles } from './idefics3/vision-encoder.js'
import type { Graphs } from './model.js'
import { type Prepared, prepare, stopwatch } from './prepare.js'
import type { GenerateRequest, Generation } from './request.js'

export type Context = PrefillContext & Graphs & { pixelsPerRun: number }
export type Outcome = PromiseSettledResult<Generation>

/**
 * Alone a box takes 7 runs behind its prefill, as forced tokens ride along; together all take one a token, which two
 * requests do not make up for.
 */
const TOGETHER_FROM = 3
/** Rows of one cache: with more a run costs about as much more. */
const MOST_ROWS = 8

/**
 * From requests to answers: images read, their tiles encoded, prompts prefilled, tokens decoded. Requests for the same
 * image share what is computed of it, whether they come together or one after the other. One that fails leaves the
 * others alone.
 */
export async function answerAll(requests: readonly GenerateRequest[], context: Context): Promise<Outcome[]> {
  const outcomes = new Outcomes()
  const known = new Map<string, KnownImage>()
  const ready: Prepared[] = []
  for (const request of requests)
    await outcomes.orFailed([request], async () => {
      ready.push(await prepare(request, context.manifest, context.cache, known))
    })
  await outcomes.orFailed(ready.map(requestOf), async () => {
    const vision = await encode(ready, context)
    for (const group of groups(ready, isFused(context.decoder))) await answerGroup(group, vision, context, outcomes)
  })
  return requests.map(request => outcomes.of(request))
}

class Outcomes {
  private readonly settled = new Map<GenerateRequest, Outcome>()

  /** Does what all of `requests` need; if it fails, those that are still open have failed. */
  async orFailed(requests: readonly GenerateRequest[], work: () => Promise<void>): Promise<void> {
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

/** Of work that several shared and that was given up, each has its own reason. */
function ownReason({ signal }: GenerateRequest, error: unknown): unknown {
  try {
    throwIfAborted(signal)
    return error
  } catch (reason) {
    return reason
  }
}

const requestOf = ({ request }: Prepared) => request

/** Runs the vision encoder over all tiles of the images that it has not seen. Gives its milliseconds. */
async function encode(ready: readonly Prepared[], { vision, manifest, pixelsPerRun }: Context): Promise<number> {
  const clock = stopwatch()
  const signal = allAborted(ready.map(({ request }) => request.signal))
  const images = new Set(ready.flatMap(({ images }) => images))
  const unseen = [...images].flatMap(image => (image.processed ? [{ image, processed: image.processed }] : []))
  if (unseen.length === 0) return 0
  const tiles = unseen.map(({ processed }) => processed)
  const { data, dim } = await encodeTiles(vision, tiles, manifest.processor, signal, pixelsPerRun)
  let from = 0
  for (const { image } of unseen) {
    const to = from + image.grid.tiles * manifest.prompt.tokensPerTile * dim
    image.features = { data: data.subarray(from, to), dim }
    image.processed = null
    from = to
  }
  return clock()
}

function groups(ready: readonly Prepared[], canGoTogether: boolean): Prepared[][] {
  const size = canGoTogether && ready.length >= TOGETHER_FROM ? MOST_ROWS : 1
  return Array.from({ length: Math.ceil(ready.length / size) }, (_, i) => ready.slice(i * size, (i + 1) * size))
}

async function answerGroup(
  group: readonly Prepared[],
  vision: number,
  context: Context,
  outcomes: Outcomes,
): Promise<void> {
  const alive: Prepared[] = []
  for (const prepared of group)
    await outcomes.orFailed([prepared.request], async () => {
      throwIfAborted(prepared.request.signal)
      alive.push(prepared)
    })
  if (alive.length === 0) return
  await outcomes.orFailed(alive.map(requestOf), async () => {
    const clock = stopwatch()
    const prompts = alive.map(prepared => ({
      prepared,
      forced: openingTokens(prepared.request.grammar, prepared.maxNewTokens),
    }))
    const feeds = await prefill(prompts, context)
    const shared = { vision, prefill: clock(), group: { size: alive.length } }
    await Promise.all(
      alive.map((prepared, i) =>
        outcomes.orFailed([prepared.request], async () => {
          outcomes.fulfil(prepared.request, await answerOne(prepared, feeds[i] as Feed, shared, context))
        }),
      ),
    )
  })
}

type Shared = Pick<Generation['timings'], 'vision' | 'prefill'> & Pick<Generation, 'group'>

async function answerOne(
  { request, images, ids, maxNewTokens, resolution, reused, timings }: Prepared,
  { feed, guesses, leave }: Feed,
  { vision, prefill, group }: Shared,
  { manifest }: Context,
): Promise<Generation> {
  const { grammar, temperature, signal } = request
  const clock = stopwatch()
  try {
    const decoded = await decode({
      feed,
      guesses,
      grammar,
      eos: manifest.eos,
      maxNewTokens,
      temperature,
      random: Math.random,
      signal,
    })
    return {
      ...decoded,
      text: manifest.prompt.tokenizer.decode(decoded.tokens),
      promptTokens: ids.length,
      tiles: images.reduce((sum, { grid }) => sum + grid.tiles, 0),
      size: images[0]?.size ?? { width: 0, height: 0 },
      reused,
      resolution,
      group,
      timings: { ...timings, vision, prefill, generate: clock() },
    }
  } finally {
    leave()
  }
}
