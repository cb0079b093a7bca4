/** Scores of outcomes: of each page, and means over all pages and over each kind of page. */
import {
  anls,
  type BoxScores,
  boxScores,
  exactMatch,
  mean,
  percentile,
  relativeSize,
  vqaAccuracy,
  vqaAccuracyAsReference,
} from './measures.js'
import { type Answered, isAnswered, isFailed, type Outcome } from './outcome.js'

export interface AnswerScores {
  exact: number
  vqa: number
  vqa_reference: number
  anls: number
}

/** Means over a set of pages. A failed request is a wrong answer; box scores are over the answered pages with a box. */
export interface Scores {
  pages: number
  failed: number
  with_crop: AnswerScores
  without_crop: AnswerScores
  /** Pages that the crop turned from wrong to right (exact match), and from right to wrong. */
  helped: number
  hurt: number
  /** Over the pages with a true box; null where there is none. */
  box: (BoxScores & { pages: number }) | null
  /** Mean share of the image that the box covers; null if no request was answered. */
  size: number | null
  /** Share of answered pages where the model gave no valid box; null if no request was answered. */
  fallback: number | null
}

export interface Spread {
  p50: number
  p90: number
  p99: number
}

const NONE: AnswerScores = { exact: 0, vqa: 0, vqa_reference: 0, anls: 0 }

export function scoreAnswer(prediction: string, answers: readonly string[]): AnswerScores {
  return {
    exact: exactMatch(prediction, answers),
    vqa: vqaAccuracy(prediction, answers),
    vqa_reference: vqaAccuracyAsReference(prediction, answers),
    anls: anls(prediction, answers),
  }
}

export function summarise(outcomes: readonly Outcome[]): Scores {
  const answered = outcomes.filter(isAnswered)
  const pairs = outcomes.map(outcome =>
    isFailed(outcome)
      ? { withCrop: NONE, without: NONE }
      : {
          withCrop: scoreAnswer(outcome.reply.answer, outcome.page.answers),
          without: scoreAnswer(outcome.reply.compare.answer, outcome.page.answers),
        },
  )
  return {
    pages: outcomes.length,
    failed: outcomes.length - answered.length,
    with_crop: meanScores(pairs.map(({ withCrop }) => withCrop)),
    without_crop: meanScores(pairs.map(({ without }) => without)),
    helped: pairs.filter(({ withCrop, without }) => withCrop.exact > without.exact).length,
    hurt: pairs.filter(({ withCrop, without }) => withCrop.exact < without.exact).length,
    box: summariseBoxes(answered),
    size: orNull(mean(answered.map(({ reply }) => relativeSize(reply.bbox)))),
    fallback: orNull(mean(answered.map(({ reply }) => Number(reply.decision === 'fallback')))),
  }
}

/** One summary for each kind of page, in the order of their names. */
export function summariseKinds(outcomes: readonly Outcome[]): Record<string, Scores> {
  const kinds = [...new Set(outcomes.map(({ page }) => page.kind))].sort()
  return Object.fromEntries(kinds.map(kind => [kind, summarise(outcomes.filter(({ page }) => page.kind === kind))]))
}

/** Times in ms: of whole requests as the client sees them, and the median of each stage that the service reports. */
export function summariseTimes(outcomes: readonly Outcome[]): {
  latency_ms: Spread | null
  stage_medians_ms: Record<string, number>
} {
  const answered = outcomes.filter(isAnswered)
  const stages = [...new Set(answered.flatMap(({ reply }) => Object.keys(reply.timings_ms)))]
  const medians = stages.map(stage => {
    const times = answered.map(({ reply }) => reply.timings_ms[stage]).filter(time => time !== undefined)
    return [stage, percentile(times, 0.5)]
  })
  const latencies = answered.map(({ latencyMs }) => latencyMs)
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map(share => percentile(latencies, share)) as [number, number, number]
  return { latency_ms: latencies.length > 0 ? { p50, p90, p99 } : null, stage_medians_ms: Object.fromEntries(medians) }
}

function summariseBoxes(answered: readonly Answered[]): Scores['box'] {
  const scores = answered.flatMap(({ page, reply }) => (page.box ? [boxScores(reply.bbox, page.box)] : []))
  if (scores.length === 0) return null
  return {
    pages: scores.length,
    iou: mean(scores.map(({ iou }) => iou)),
    recall: mean(scores.map(({ recall }) => recall)),
    fullRecall: mean(scores.map(({ fullRecall }) => fullRecall)),
  }
}

function meanScores(scores: readonly AnswerScores[]): AnswerScores {
  const over = (name: keyof AnswerScores) => mean(scores.map(score => score[name]))
  return { exact: over('exact'), vqa: over('vqa'), vqa_reference: over('vqa_reference'), anls: over('anls') }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
