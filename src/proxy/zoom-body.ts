/** A chat request in, the same bytes with crops put in out. */
import type { Config } from '../config/service.js'
import { CropVlmError } from '../errors.js'
import type { Target } from '../target/target.js'
import type { ChatBody, Turn } from './chat/conversation.js'
import { cropEdits, type PlacedCrop } from './chat/crop-parts.js'
import { type CropFinder, type Flights, findCrop } from './crop/find-crop.js'
import type { CropOutcome, NoCrop } from './crop/outcome.js'
import { type PlannedCrop, planCrops } from './crop/plan.js'
import type { Edit } from './json/edit.js'
import type { ZoomOptions } from './options.js'
import { type CropBox, NO_ZOOM, type Verdict } from './verdict.js'

export interface ZoomBody {
  json: Buffer
  chat: ChatBody
  options: ZoomOptions
  target: Target
  /** Aborted when the client has gone. */
  signal: AbortSignal
}

type Settings = Pick<Config, 'zoomBudgetMs' | 'zoomFail' | 'zoomNote' | 'zoomDetail'>

export interface ZoomedBody {
  edits: Edit[]
  verdict: Verdict
  /** The crops by turn, for a target in this process. */
  crops: ReadonlyMap<Turn, readonly PlacedCrop[]>
}

/**
 * Finds the crops of a request, and how to put them into it. A crop that is not found in time, or at all, is left out; with
 * `ZOOM_FAIL=closed` the verdict is `failed` where looking for it failed.
 * @throws CropVlmError request_aborted
 */
export async function zoomBody(finder: CropFinder, request: ZoomBody, settings: Settings): Promise<ZoomedBody> {
  const { json, chat, options } = request
  if (options.zoom === 'off') return { edits: [], crops: new Map(), verdict: NO_ZOOM }
  const start = performance.now()
  const planned = planCrops(chat.turns, options.maxImages)
  const outcomes = await findInTime(finder, request, planned, settings.zoomBudgetMs)
  const failed = outcomes.find(outcome => outcome.decision !== 'zoomed' && outcome.error) as NoCrop | undefined
  const failures = failuresOf(outcomes)
  const ms = () => performance.now() - start
  if (settings.zoomFail === 'closed' && failed?.error) {
    const verdict = {
      decision: 'failed',
      reason: failed.reason,
      boxes: [],
      failures,
      ms: ms(),
      error: failed.error,
    } as const
    return { edits: [], crops: new Map(), verdict }
  }
  const crops = new Map<Turn, PlacedCrop[]>()
  const boxes: CropBox[] = []
  for (const [i, { turn, image }] of planned.entries()) {
    const outcome = outcomes[i] as CropOutcome
    if (outcome.decision !== 'zoomed') continue
    const { picture, box, pixelBox } = outcome
    crops.set(turn, [...(crops.get(turn) ?? []), { image, picture }])
    boxes.push({ turn: turn.message, image, box, pixelBox, picture })
  }
  const style = { note: settings.zoomNote, detail: settings.zoomDetail }
  const edits = [...crops].flatMap(([turn, placed]) => cropEdits(json, turn, placed, style))
  return {
    edits,
    crops,
    verdict: { ...decide(chat, outcomes), boxes, failures, ms: ms() },
  }
}

/** `zoomed` if there is any crop; else what was found for the newest question. */
function decide({ turns }: ChatBody, outcomes: readonly CropOutcome[]): Pick<Verdict, 'decision' | 'reason'> {
  if (outcomes.some(({ decision }) => decision === 'zoomed')) return { decision: 'zoomed', reason: null }
  const last = outcomes.at(-1) as NoCrop | undefined
  if (last) return { decision: last.decision, reason: last.reason }
  const has = (test: (turn: Turn) => boolean, reason: string) => (turns.some(test) ? reason : null)
  const reason = has(({ hasCrops }) => hasCrops, 'has_crop') ?? has(({ images }) => images.length > 0, 'no_question')
  return { decision: 'skipped', reason: reason ?? 'no_image' }
}

function failuresOf(outcomes: readonly CropOutcome[]): string[] {
  return outcomes.flatMap(outcome => (outcome.decision !== 'zoomed' && outcome.error ? [outcome.reason] : []))
}

/** The outcomes of all crops, in their order; those that are not there in time are `too_slow`. */
async function findInTime(
  finder: CropFinder,
  { json, options, target, signal }: ZoomBody,
  planned: readonly PlannedCrop[],
  budgetMs: number,
): Promise<CropOutcome[]> {
  if (planned.length === 0) return []
  const late = AbortSignal.timeout(budgetMs)
  const patience = { signal: AbortSignal.any([signal, late]), deadline: Date.now() + budgetMs }
  const over = new Promise<CropOutcome>(resolve => {
    patience.signal.addEventListener('abort', () => resolve(tooSlow(budgetMs)), { once: true })
  })
  const flights: Flights = new Map()
  const outcomes = await Promise.all(
    planned.map(({ turn, image }) => {
      const request = { json, source: image.source, question: turn.question, options, target, ...patience }
      return Promise.race([findCrop(finder, request, flights), over])
    }),
  )
  if (signal.aborted) throw new CropVlmError('request_aborted', 'The client went away.')
  return outcomes
}

function tooSlow(budgetMs: number): NoCrop {
  const error = new CropVlmError('deadline_exceeded', `The crop was not found within ZOOM_BUDGET_MS (${budgetMs} ms).`)
  return { decision: 'fallback', reason: 'too_slow', error }
}
