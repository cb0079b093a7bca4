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
import { type Answered, isAnswered, isFailed, type Outcome, type Reply, type Usage } from './outcome.js'
import { isRefusal } from './refusal.js'

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
  /** With the crop where `zoom=auto` takes it, without it where it would skip. */
  by_rule: AnswerScores
  /** Share of questions that the target refused to answer. */
  refusals: Ways<number>
  /** Mean tokens of the target's prompt; null where it did not tell of all. */
  prompt_tokens: Ways<number | null>
  /** Share of answered questions where `zoom=auto` would skip the crop; null if no request was answered. */
  skipped: number | null
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

/** With the crop, without it, and by the rule of `zoom=auto`. */
export interface Ways<T> {
  with_crop: T
  without_crop: T
  by_rule: T
}

export interface Spread {
  p50: number
  p90: number
  p99: number
}

const NONE: AnswerScores = { exact: 0, vqa: 0, vqa_reference: 0, anls: 0 }

function scoreAnswer(prediction: string, answers: readonly string[]): AnswerScores {
  return {
    exact: exactMatch(prediction, answers),
    vqa: vqaAccuracy(prediction, answers),
    vqa_reference: vqaAccuracyAsReference(prediction, answers),
    anls: anls(prediction, answers),
  }
}

/** The scores of what a target said. A refusal is wrong, whatever its empty answer would be normalised to. */
export function scoreSaid({ answer, refusal = null }: Said, answers: readonly string[]): AnswerScores {
  return refusal === null || answer !== '' ? scoreAnswer(answer, answers) : NONE
}

type Said = Pick<Reply, 'answer' | 'refusal'>

export function summarise(outcomes: readonly Outcome[]): Scores {
  const answered = outcomes.filter(isAnswered)
  const pairs = outcomes.map(outcome =>
    isFailed(outcome)
      ? { withCrop: NONE, without: NONE }
      : {
          withCrop: scoreSaid(outcome.reply, outcome.page.answers),
          without: scoreSaid(outcome.reply.compare, outcome.page.answers),
        },
  )
  return {
    pages: outcomes.length,
    failed: outcomes.length - answered.length,
    with_crop: meanScores(pairs.map(({ withCrop }) => withCrop)),
    without_crop: meanScores(pairs.map(({ without }) => without)),
    by_rule: meanScores(
      outcomes.map((outcome, i) => {
        const { withCrop, without } = pairs[i] as (typeof pairs)[number]
        return isAnswered(outcome) && skips(outcome) ? without : withCrop
      }),
    ),
    refusals: byWay(answered, ways => mean(ways.map(said => Number(isRefused(said))))),
    prompt_tokens: byWay(answered, ways => meanTokens(ways.map(({ usage }) => usage))),
    skipped: orNull(mean(answered.map(outcome => Number(skips(outcome))))),
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

/** Whether a target declined, in a field of its own or in the words of its answer. */
function isRefused({ answer, refusal = null }: Said): boolean {
  return refusal !== null || isRefusal(answer)
}

const skips = ({ reply }: Answered) => reply.would_skip !== null

/** One figure for each way to answer. */
function byWay<T>(
  answered: readonly Answered[],
  figure: (ways: readonly (Said & { usage: Usage | null })[]) => T,
): Ways<T> {
  const withCrop = ({ reply: { answer, refusal = null, target } }: Answered) => ({
    answer,
    refusal,
    usage: target.usage,
  })
  const without = ({ reply: { compare } }: Answered) => compare
  return {
    with_crop: figure(answered.map(withCrop)),
    without_crop: figure(answered.map(without)),
    by_rule: figure(answered.map(outcome => (skips(outcome) ? without(outcome) : withCrop(outcome)))),
  }
}

function meanTokens(usages: readonly (Usage | null)[]): number | null {
  const known = usages.filter(usage => usage !== null)
  return known.length > 0 && known.length === usages.length
    ? mean(known.map(({ prompt_tokens }) => prompt_tokens))
    : null
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
