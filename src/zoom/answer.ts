import { stripped } from '../contract/question.js'
import { CropVlmError } from '../errors.js'
import type { Picture, PictureOptions } from '../image/picture.js'
import type { Target, TargetAnswer } from '../target/target.js'
import { findRegions } from './find.js'
import { cropPicture, type Edges, type Shown, shownTo, viewOf, wholePicture } from './target-pictures.js'
import type { FindRegions, FoundRegions, Region, TargetOutcome, Zoom, ZoomObserver } from './zoom.js'

/** Ask for a region, and have a target VLM answer from the image and that region. */
export interface AskTarget extends Omit<FindRegions, 'questions' | 'pictures' | 'view'> {
  question: string
  target: Target
  /** What the target sees: `zoom` the full image and the crop, if that is used; `full` no crop, `crop` the crop alone. */
  mode: 'zoom' | 'full' | 'crop'
  /** Whether the target also answers from the full image alone. */
  compare: boolean
  /** Longest edges in pixels of its pictures, where this request wants others than the target's own. Default: none. */
  edges?: Edges
  maxTokens: number
  /** 0 is greedy. */
  temperature: number
  /** Pictures that are wanted for the caller, beside those that the target needs. */
  pictures: { crop: PictureOptions | null; overlay: PictureOptions | null }
}

export interface Answered {
  found: FoundRegions
  answer: TargetAnswer
  /** From the full image alone; null where it was not asked for. */
  compare: TargetAnswer | null
  /** Milliseconds until the target had answered, with `compare` both times. */
  targetMs: number
}

/** The target failed after the region had been found. The error carries the region, so that it is not lost. */
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
 * Finds the region, then has the target answer from it.
 * @throws UnansweredError where the target fails, with the region and, as its cause, what the target throws
 * @throws CropVlmError what `findRegions` throws
 */
export async function answerZoomed(zoom: Zoom, request: AskTarget): Promise<Answered> {
  const { question, pictures, target, mode, gate } = request
  const shown = shownTo(target, request.edges)
  const found = await findRegions(zoom, {
    ...request,
    questions: [question],
    // the crop alone was asked for, so there has to be one
    gate: mode === 'crop' ? { ...gate, mode: 'always' } : gate,
    view: viewOf(shown),
    pictures: { ...pictures, ...picturesFor(target, request, shown) },
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

/** The pictures that the target is sent. */
function picturesFor(target: Target, { mode, compare }: AskTarget, shown: Shown) {
  // one picture serves both calls where they show it alike
  const isSame = shown.compare === shown.full
  const needsFull = mode !== 'crop' || (compare && isSame)
  return {
    targetFull: needsFull ? wholePicture(target, shown.full) : null,
    targetCrop: mode === 'full' ? null : cropPicture(target, shown.crop),
    targetCompare: compare && !isSame ? wholePicture(target, shown.compare) : null,
  }
}

/** The answer and, with `compare`, the one from the full image alone. Both are asked for at the same time. */
async function askBoth(
  { pictures: { targetFull, targetCrop, targetCompare } }: Region,
  { target, question, mode, compare, maxTokens, temperature, signal, deadline, span }: AskTarget,
  observer: ZoomObserver,
): Promise<Pick<Answered, 'answer' | 'compare'>> {
  // when one call fails, nobody waits for the other
  const failed = new AbortController()
  const either = AbortSignal.any([signal, failed.signal])
  const ask = async (full: Picture | null, crop: Picture | null) => {
    try {
      return await observed(target, observer, () =>
        target.answer({
          full,
          crop,
          question: stripped(question),
          maxTokens,
          temperature,
          signal: either,
          deadline,
          span,
        }),
      )
    } catch (error) {
      failed.abort()
      throw error
    }
  }
  const main = ask(mode === 'crop' ? null : targetFull, targetCrop)
  if (!compare) return { answer: await main, compare: null }
  // where neither a crop nor another size was sent the answer is already the one without it
  const isSame = targetCrop === null && targetCompare === null
  const [answer, other] = await Promise.all([main, isSame ? main : ask(targetCompare ?? targetFull, null)])
  return { answer, compare: other }
}

/** Makes one call of a target and tells the observer how it ended. */
export async function observed(
  { name }: Target,
  observer: ZoomObserver,
  call: () => Promise<TargetAnswer>,
): Promise<TargetAnswer> {
  const start = performance.now()
  try {
    const answer = await call()
    observer.onTargetCall(name, answer.refusal === null ? 'ok' : 'refused', performance.now() - start, answer.usage)
    return answer
  } catch (error) {
    observer.onTargetCall(name, outcomeOf(error), performance.now() - start, null)
    throw error
  }
}

/** How a call of a target that failed is counted. */
export function outcomeOf(error: unknown): TargetOutcome {
  const { code, details } = CropVlmError.from(error)
  if (details?.breaker === 'open') return 'not_asked'
  switch (code) {
    case 'request_aborted':
      return 'aborted'
    case 'target_timeout':
    case 'deadline_exceeded':
      return 'timeout'
    default:
      return 'failed'
  }
}

/**
 * Whether two answers are the same apart from case, spaces at the ends and one final full stop, as in the CropVLM
 * reference code.
 */
export function isSameAnswer(one: string, other: string): boolean {
  const normal = (text: string) => text.trim().toLowerCase().replace(/\.$/, '')
  return normal(one) === normal(other)
}
