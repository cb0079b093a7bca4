import { CropVlmError } from '../errors.js'
import { breathe, throwIfAborted } from './decoding/abort.js'
import type { KnownImage, PrefixCache } from './decoding/prefix-cache.js'
import type { Manifest } from './folder/manifest.js'
import { processImage } from './idefics3/image-processor.js'
import { promptIds } from './idefics3/prompt.js'
import type { GenerateRequest, PromptImage } from './request.js'

/** A request whose images are read and whose prompt is written: what is left is the models' work. */
export interface Prepared {
  request: GenerateRequest
  images: readonly KnownImage[]
  /** Where the first image is kept; null: nowhere. */
  key: string | null
  /** The whole prompt's token ids. */
  ids: readonly number[]
  maxNewTokens: number
  resolution: number
  /** Whether the first image was known before. */
  reused: boolean
  /** Milliseconds. */
  timings: { decode: number; preprocess: number }
}

/**
 * Reads one request. Images in `known` or in `cache` are not decoded again; those read are added to `known`.
 * Throws `unsupported_resolution`, `question_too_long`, what reading an image throws, and what the signal was aborted with.
 */
export async function prepare(
  request: GenerateRequest,
  manifest: Manifest,
  cache: PrefixCache,
  known: Map<string, KnownImage>,
): Promise<Prepared> {
  const { signal } = request
  throwIfAborted(signal)
  const resolution = checkResolution(manifest, request.resolution)
  const timings = { decode: 0, preprocess: 0 }
  const clock = stopwatch()
  const keyOf = ({ key }: PromptImage) => (key === null ? null : `${key}@${resolution}`)
  const images: KnownImage[] = []
  let reused = false
  for (const [i, image] of request.images.entries()) {
    const key = keyOf(image)
    const found = key === null ? undefined : (known.get(key) ?? cache.get(key))
    // what is kept of a first image is of no use behind another, unless it is its features
    const usable = found && (i === 0 || found.features || found.processed) ? found : undefined
    if (i === 0) reused = usable !== undefined
    if (usable) {
      images.push(usable)
      continue
    }
    clock()
    const source = await image.open()
    const { width, height } = source
    timings.decode += clock()
    let decode = 0
    const pixels = async () => {
      const stopped = stopwatch()
      const all = await source.pixels()
      decode += stopped()
      return all
    }
    // decoding and shrinking in one go counts as preprocessing
    const watched = { width, height, pixels, shrunk: source.shrunk.bind(source) }
    const processed = await processImage(watched, resolution, manifest.processor)
    timings.decode += decode
    timings.preprocess += clock() - decode
    const read = { size: { width, height }, grid: processed.grid, processed, features: null, prefix: null }
    images.push(read)
    if (key !== null && !known.has(key)) known.set(key, read)
    await breathe(signal)
  }
  clock()
  const ids = promptIds(
    manifest.prompt,
    images.map(({ grid }) => grid),
    request.text,
  )
  const maxNewTokens = roomFor(request, ids.length, manifest.maxPositions)
  timings.preprocess += clock()
  const [first] = request.images
  return { request, images, key: first ? keyOf(first) : null, ids, maxNewTokens, resolution, reused, timings }
}

function checkResolution({ info }: Manifest, wanted: number | null): number {
  const { resolutions, defaultResolution, id } = info
  if (wanted === null || resolutions.includes(wanted)) return wanted ?? defaultResolution
  throw new CropVlmError(
    'unsupported_resolution',
    `Resolution ${wanted} is not supported; ${id} takes ${resolutions.join(', ')}.`,
    { param: 'resolution' },
  )
}

/** How many tokens may be written behind the prompt. */
function roomFor({ grammar, maxNewTokens }: GenerateRequest, promptTokens: number, maxPositions: number): number {
  const room = maxPositions - promptTokens
  // A free answer may stop early; half of what a grammar describes is no answer at all.
  const least = grammar ? maxNewTokens : 1
  if (room >= least) return Math.min(maxNewTokens, room)
  throw new CropVlmError(
    'question_too_long',
    `Question and images make ${promptTokens} tokens; the model reads at most ${maxPositions - least} of them. Shorten the question or lower the resolution.`,
    { param: 'question' },
  )
}

/** Each call gives the milliseconds since the one before. */
export function stopwatch(): () => number {
  let last = performance.now()
  return () => {
    const now = performance.now()
    const elapsed = now - last
    last = now
    return elapsed
  }
}
