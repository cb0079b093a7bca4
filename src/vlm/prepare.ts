import { CropVlmError } from '../errors.js'
import type { ImageSource } from '../image/decode.js'
import { breathe, throwIfAborted } from './decoding/abort.js'
import type { ImageState, PrefixCache } from './decoding/prefix-cache.js'
import type { Manifest } from './folder/manifest.js'
import type { GenerateRequest, PromptImage } from './request.js'
import { type Interval, interval } from './stages.js'
import { stopwatch } from './stopwatch.js'

/** A request whose images are read and whose prompt is written: what is left to do is to run the graphs. */
export interface PreparedRequest {
  request: GenerateRequest
  /** In prompt order. */
  images: readonly ImageState[]
  /** The key under which the first image is kept; null: it is not kept. */
  key: string | null
  /** Token ids of the whole prompt. */
  ids: readonly number[]
  maxNewTokens: number
  resolution: number
  /** Whether something was known of the first image. */
  reused: boolean
  /** Milliseconds. */
  timings: { decode: number; preprocess: number }
  intervals: Interval[]
}

/**
 * Reads the images of a request and writes its prompt.
 * @param known Images of the same batch, by key. Those are not read again, nor those in `cache`; the others are added.
 * @throws CropVlmError unsupported_resolution, question_too_long, request_aborted (or the signal's own reason), and
 * whatever opening an image throws
 */
export async function prepare(
  request: GenerateRequest,
  { info, family, maxPositions }: Manifest,
  cache: PrefixCache,
  known: Map<string, ImageState>,
): Promise<PreparedRequest> {
  const { signal } = request
  throwIfAborted(signal)
  const resolution = checkResolution(info, request.resolution)
  const timings = { decode: 0, preprocess: 0 }
  const intervals: Interval[] = []
  const keyOf = ({ key }: PromptImage) => (key === null ? null : `${key}@${resolution}`)
  const images: ImageState[] = []
  let reused = false
  for (const [i, image] of request.images.entries()) {
    const key = keyOf(image)
    const found = key === null ? undefined : (known.get(key) ?? cache.get(key))
    // a kept prefix is of use only for the first image: keys and values depend on all tokens before them
    const usable = found && (i === 0 || found.features || found.processed) ? found : undefined
    if (i === 0) reused = usable !== undefined
    if (usable) {
      images.push(usable)
      continue
    }
    const state = await readImage(image, resolution, family, { timings, intervals })
    images.push(state)
    if (key !== null && !known.has(key)) known.set(key, state)
    await breathe(signal)
  }
  const clock = stopwatch()
  const ids = family.promptIds(
    images.map(({ grid }) => grid),
    request.text,
  )
  const maxNewTokens = answerLength(request, ids.length, maxPositions)
  timings.preprocess += clock()
  const [first] = request.images
  const key = first ? keyOf(first) : null
  return { request, images, key, ids, maxNewTokens, resolution, reused, timings, intervals }
}

/** Opens and resizes one image. Adds the milliseconds to `timings`, and when that was to `intervals`. */
async function readImage(
  image: PromptImage,
  resolution: number,
  family: Manifest['family'],
  { timings, intervals }: Pick<PreparedRequest, 'timings' | 'intervals'>,
): Promise<ImageState> {
  const clock = stopwatch()
  const opening = performance.now()
  const source = await image.open()
  const { width, height } = source
  timings.decode += clock()
  const opened = performance.now()
  intervals.push(interval('decode', opening, opened))
  let resizing = opened
  let decode = 0
  // `pixels` is timed as decoding; `shrunk`, which decodes and resizes in one go, counts as preprocessing
  const timed: ImageSource = {
    width,
    height,
    async pixels() {
      const own = stopwatch()
      const start = performance.now()
      const pixels = await source.pixels()
      decode += own()
      resizing = performance.now()
      intervals.push(interval('decode', start, resizing))
      return pixels
    },
    shrunk: size => source.shrunk(size),
  }
  const grid = family.gridOf({ width, height }, resolution)
  const processed = await family.process(timed, grid)
  timings.decode += decode
  timings.preprocess += clock() - decode
  intervals.push(interval('preprocess', resizing))
  return { size: { width, height }, grid, processed, features: null, prefix: null }
}

function checkResolution({ resolutions, defaultResolution, id }: Manifest['info'], wanted: number | null): number {
  if (wanted === null || resolutions.includes(wanted)) return wanted ?? defaultResolution
  throw new CropVlmError(
    'unsupported_resolution',
    `Resolution ${wanted} is not supported; ${id} takes ${resolutions.join(', ')}.`,
    { param: 'resolution' },
  )
}

/** How many tokens the answer may have, given the positions that the prompt leaves. */
function answerLength({ grammar, maxNewTokens }: GenerateRequest, promptTokens: number, maxPositions: number): number {
  const left = maxPositions - promptTokens
  // A free answer may stop early, but half of what a grammar describes is no answer at all.
  const needed = grammar ? maxNewTokens : 1
  if (left >= needed) return Math.min(maxNewTokens, left)
  throw new CropVlmError(
    'question_too_long',
    `Question and images make ${promptTokens} tokens; the model reads at most ${Math.max(0, maxPositions - needed)} of them. Shorten the question or lower the resolution.`,
    { param: 'question' },
  )
}
