/** A chat request in, the same bytes with crops put in out. */
import type { Config } from '../config/service.js'
import type { Patience } from '../engine/engine.js'
import type { Target } from '../target/target.js'
import { within } from '../tracing/span.js'
import type { ChatBody, Turn } from './chat/conversation.js'
import { cropEdits, type PlacedCrop } from './chat/crop-parts.js'
import { type CropFinder, type Flights, findCrop } from './crop/find-crop.js'
import { findInTime } from './crop/find-in-time.js'
import type { CropOutcome, NoCrop } from './crop/outcome.js'
import { type PlannedCrop, planCrops } from './crop/plan.js'
import type { Edit } from './json/edit.js'
import type { ZoomOptions } from './options.js'
import { type CropBox, NO_ZOOM, skipped, type Verdict } from './verdict.js'

/** `signal` is aborted when the client has gone. */
export interface ZoomBody extends Omit<Patience, 'deadline'> {
  json: Buffer
  chat: ChatBody
  options: ZoomOptions
  target: Target
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
  if (request.options.zoom === 'off') return { edits: [], crops: new Map(), verdict: NO_ZOOM }
  return await within(request.span, 'zoom', {}, async span => {
    const zoomed = await zoom(finder, { ...request, span }, settings)
    const { decision, reason, boxes, failures } = zoomed.verdict
    span.set({
      'cropvlm.zoom.decision': decision,
      'cropvlm.zoom.reason': reason ?? undefined,
      'cropvlm.zoom.crops': boxes.length,
    })
    if (failures[0]) span.fail(failures[0].error)
    return zoomed
  })
}

async function zoom(finder: CropFinder, request: ZoomBody, settings: Settings): Promise<ZoomedBody> {
  const { json, chat, options } = request
  const start = performance.now()
  const planned = planCrops(chat.turns, options.maxImages)
  if (planned.length === 0)
    return { edits: [], crops: new Map(), verdict: skipped(whyNone(chat), performance.now() - start) }
  const outcomes = await findInTime(planned, settings.zoomBudgetMs, request, cropSearch(finder, request))
  const failures = failuresOf(outcomes)
  const ms = performance.now() - start
  const [failure] = failures
  if (settings.zoomFail === 'closed' && failure) {
    const verdict = { decision: 'failed', ...failure, boxes: [], failures, ms } as const
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
  return { edits, crops, verdict: { ...decide(outcomes), boxes, failures, ms } }
}

/** Finds crops of one request: what two of them have in common is looked for once. */
function cropSearch(finder: CropFinder, { json, options, target }: ZoomBody) {
  const flights: Flights = new Map()
  return ({ turn, image }: PlannedCrop, patience: Patience) =>
    findCrop(finder, { json, source: image.source, question: turn.question, options, target, ...patience }, flights)
}

/** `zoomed` if there is any crop; else what was found for the newest question. */
function decide(outcomes: readonly CropOutcome[]): Pick<Verdict, 'decision' | 'reason'> {
  if (outcomes.some(({ decision }) => decision === 'zoomed')) return { decision: 'zoomed', reason: null }
  const { decision, reason } = outcomes.at(-1) as NoCrop
  return { decision, reason }
}

/** Why there is nothing to look for. */
function whyNone({ turns }: ChatBody): string {
  const has = (test: (turn: Turn) => boolean, reason: string) => (turns.some(test) ? reason : null)
  const reason = has(({ hasCrops }) => hasCrops, 'has_crop') ?? has(({ images }) => images.length > 0, 'no_question')
  return reason ?? 'no_image'
}

function failuresOf(outcomes: readonly CropOutcome[]): Verdict['failures'] {
  return outcomes.flatMap(outcome => {
    if (outcome.decision === 'zoomed' || !outcome.error) return []
    return [{ reason: outcome.reason, error: outcome.error }]
  })
}
