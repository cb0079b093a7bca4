import { CropVlmError } from '../errors.js'
import type { Picture, PictureOptions } from '../image/picture.js'
import type { Target, TargetAnswer } from '../target/target.js'
import { findRegions } from './find.js'
import type { FindRegions, FoundRegions, Region, TargetOutcome, Zoom, ZoomObserver } from './zoom.js'

/** Ask for a region, and have a target VLM answer from the image and that region. */
export interface AskTarget extends Omit<FindRegions, 'questions' | 'pictures'> {
  question: string
  target: Target
  /** What the target sees: `zoom` the full image and the crop, `full` no crop, `crop` the crop alone. */
  mode: 'zoom' | 'full' | 'crop'
  /** Whether the target also answers from the full image alone. */
  compare: boolean
  maxTokens: number
  /** 0 is greedy. */
  temperature: number
  /** Pictures for the caller. */
  pictures: { crop: PictureOptions | null; overlay: PictureOptions | null }
}

export interface Answered {
  found: FoundRegions
  answer: TargetAnswer
  /** From the full image alone; null where it was not asked for. */
  compare: TargetAnswer | null
  /** Milliseconds that the target took. */
  targetMs: number
}

/** The target failed once the region had been found, which is not lost. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError'

  constructor(
    readonly found: FoundRegions,
    override readonly cause: unknown,
  ) {
    super('The target failed.', { cause })
  }
}

/**
 * Finds the region, then asks the target.
 * @throws UnansweredError where the target fails, with the region and, as its cause, what the target throws
 * @throws CropVlmError what `findRegions` throws
 */
export async function answerZoomed(zoom: Zoom, request: AskTarget): Promise<Answered> {
  const { question, pictures, target } = request
  const found = await findRegions(zoom, {
    ...request,
    questions: [question],
    pictures: { ...pictures, ...picturesFor(target, request) },
  })
  const start = performance.now()
  try {
    const { answer, compare } = await askBoth(found.regions[0] as Region, request, zoom.observer)
    const targetMs = performance.now() - start
    zoom.observer.onAnswered(targetMs)
    return { found, answer, compare, targetMs }
  } catch (error) {
    throw new UnansweredError(found, error)
  }
}

/** What the target is sent: shrunk JPEG over a network, the very pixels for a model in the engine. */
function picturesFor(target: Target, { mode, compare }: AskTarget) {
  const encoding = target.local
    ? ({ format: 'png', quality: 100 } as const)
    : ({ format: 'jpeg', quality: 90 } as const)
  return {
    targetFull: mode === 'crop' && !compare ? null : { ...encoding, longestEdge: target.fullLongestEdge },
    targetCrop: mode === 'full' ? null : { ...encoding, longestEdge: target.cropLongestEdge },
  }
}

/** The answer, and beside it, at the same time, the one from the full image alone where it was asked for. */
async function askBoth(
  { pictures: { targetFull, targetCrop } }: Region,
  { target, question, mode, compare, maxTokens, temperature, signal, deadline }: AskTarget,
  observer: ZoomObserver,
): Promise<Pick<Answered, 'answer' | 'compare'>> {
  // when one call fails, nobody waits for the other
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const ask = async (full: Picture | null, crop: Picture | null) => {
    try {
      return await observed(target, observer, () =>
        target.answer({ full, crop, question, maxTokens, temperature, signal: either, deadline }),
      )
    } catch (error) {
      failed.abort()
      throw error
    }
  }
  const main = ask(mode === 'crop' ? null : targetFull, targetCrop)
  if (!compare) return { answer: await main, compare: null }
  // with mode full the answer is already the one without the crop
  const [answer, other] = await Promise.all([main, mode === 'full' ? main : ask(targetFull, null)])
  return { answer, compare: other }
}

async function observed(
  { name }: Target,
  observer: ZoomObserver,
  call: () => Promise<TargetAnswer>,
): Promise<TargetAnswer> {
  const start = performance.now()
  try {
    const answer = await call()
    observer.onTargetCall(name, 'ok', performance.now() - start, answer.usage)
    return answer
  } catch (error) {
    observer.onTargetCall(name, outcomeOf(error), performance.now() - start, null)
    throw error
  }
}

function outcomeOf(error: unknown): TargetOutcome {
  switch (CropVlmError.from(error).code) {
    case 'request_aborted':
      return 'aborted'
    case 'target_timeout':
    case 'deadline_exceeded':
      return 'timeout'
    default:
      return 'failed'
  }
}

/** Whether two answers are the same but for case, spaces at the ends and one final full stop, as in the reference code. */
export function isSameAnswer(one: string, other: string): boolean {
  const normal = (text: string) => text.trim().toLowerCase().replace(/\.$/, '')
  return normal(one) === normal(other)
}
