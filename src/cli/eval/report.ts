/** The report of an evaluation: tables in Markdown, and everything as JSON. */
import { boxScores } from '../../evaluation/measures.js'
import { isFailed, type Outcome } from '../../evaluation/outcome.js'
import {
  type AnswerScores,
  type Scores,
  type Spread,
  scoreSaid,
  summarise,
  summariseKinds,
  summariseTimes,
} from '../../evaluation/scores.js'

export interface Report {
  format: 1
  /** ISO 8601. */
  created: string
  data: string
  url: string
  options: Readonly<Record<string, string>>
  concurrency: number
  /** The service's `/info`. */
  info: Record<string, unknown>
  overall: Scores
  kinds: Record<string, Scores>
  latency_ms: Spread | null
  stage_medians_ms: Record<string, number>
  failures: { id: string; status: number | null; error: string }[]
  pages: Record<string, unknown>[]
}

export function makeReport(
  outcomes: readonly Outcome[],
  about: Pick<Report, 'data' | 'url' | 'options' | 'concurrency' | 'info'>,
): Report {
  return {
    format: 1,
    created: new Date().toISOString(),
    ...about,
    overall: summarise(outcomes),
    kinds: summariseKinds(outcomes),
    ...summariseTimes(outcomes),
    failures: outcomes.filter(isFailed).map(({ page, status, error }) => ({ id: page.id, status, error })),
    pages: outcomes.map(pageRecord),
  }
}

function pageRecord(outcome: Outcome): Record<string, unknown> {
  const { id, kind, question, answers, box } = outcome.page
  const page = { id, kind, question, answers, box }
  if (isFailed(outcome)) return { ...page, status: outcome.status, error: outcome.error }
  const { bbox, decision, reason, confidence, answer, refusal = null, compare } = outcome.reply
  return {
    ...page,
    bbox,
    decision,
    reason,
    confidence,
    answer,
    answer_without_crop: compare.answer,
    refusal,
    refusal_without_crop: compare.refusal ?? null,
    with_crop: scoreSaid({ answer, refusal }, answers),
    without_crop: scoreSaid(compare, answers),
    iou: box ? boxScores(bbox, box).iou : null,
    latency_ms: outcome.latencyMs,
  }
}

/** The tables on stdout; scores in per cent. */
export function toMarkdown(report: Report): string {
  const rows = [...Object.entries(report.kinds), ['all', report.overall] as const]
  const answers = table(
    [
      'pages of kind',
      'number',
      'failed',
      'exact: with crop',
      'without',
      'gain',
      'helped',
      'hurt',
      ...OTHERS.flatMap(bothWays),
    ],
    rows.map(([kind, scores]) => [kind, ...answerCells(scores)]),
  )
  const boxes = table(
    ['boxes on', 'with a true box', 'IoU', 'recall', 'full recall', 'size', 'fallback'],
    rows.map(([kind, scores]) => [kind, ...boxCells(scores)]),
  )
  const ways = table(
    ['the crop is used', 'exact', 'VQA accuracy', 'ANLS', 'refusals', 'prompt tokens'],
    wayRows(report.overall),
  )
  const { latency_ms: latency, stage_medians_ms: stages } = report
  const times = table(
    ['time in ms', 'p50', 'p90', 'p99'],
    [
      ['whole request, two answers', ...(latency ? [latency.p50, latency.p90, latency.p99].map(ms) : ['-', '-', '-'])],
      ...Object.entries(stages).map(([stage, median]) => [stage, ms(median), '', '']),
    ],
  )
  return [answers, NOTES, ways, boxes, times, ...failureLines(report)].join('\n')
}

const OTHERS = [
  ['VQA accuracy', 'vqa'],
  ['VQA accuracy, reference code', 'vqa_reference'],
  ['ANLS', 'anls'],
] as const satisfies [string, keyof AnswerScores][]

const NOTES = `Scores in per cent; gain in points. Exact match: equal to one of the answers but for case, outer spaces and a final
full stop; so is what ANLS (at 0.5) compares. VQA accuracy: official normalisation; "reference code": only lower-cased,
one final full stop removed. A failed request counts as a wrong answer.
`

function bothWays([title]: (typeof OTHERS)[number]): string[] {
  return [`${title}: with crop`, 'without']
}

function answerCells(scores: Scores): string[] {
  const { with_crop: withCrop, without_crop: without } = scores
  return [
    String(scores.pages),
    String(scores.failed),
    percent(withCrop.exact),
    percent(without.exact),
    `${withCrop.exact >= without.exact ? '+' : '-'}${percent(Math.abs(withCrop.exact - without.exact))}`,
    String(scores.helped),
    String(scores.hurt),
    ...OTHERS.flatMap(([, name]) => [percent(withCrop[name]), percent(without[name])]),
  ]
}

/** Of all pages: with the crop always, never, and by the rule of `zoom=auto`. */
function wayRows({ refusals, prompt_tokens: tokens, skipped, ...scores }: Scores): string[][] {
  const rule = `by the rule of zoom=auto${skipped === null ? '' : `, which skips ${percent(skipped)} %`}`
  const named = [
    ['always', 'with_crop'],
    ['never', 'without_crop'],
    [rule, 'by_rule'],
  ] as const
  return named.map(([name, way]) => {
    const { exact, vqa, anls } = scores[way]
    const { [way]: count } = tokens
    const refused = Number.isNaN(refusals[way]) ? '-' : percent(refusals[way])
    return [name, percent(exact), percent(vqa), percent(anls), refused, count === null ? '-' : count.toFixed(0)]
  })
}

function boxCells({ box, size, fallback }: Scores): string[] {
  const cells = box ? [String(box.pages), ...[box.iou, box.recall, box.fullRecall].map(percent)] : ['0', '-', '-', '-']
  return [...cells, size === null ? '-' : percent(size), fallback === null ? '-' : percent(fallback)]
}

function failureLines({ failures }: Report): string[] {
  if (failures.length === 0) return []
  return [
    `${failures.length} requests failed:`,
    ...failures.map(({ id, status, error }) => `- ${id}: ${status ?? 'no reply'}: ${error.replace(/\s+/g, ' ')}`),
    '',
  ]
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line), ''].join('\n')
}

function percent(share: number): string {
  return (100 * share).toFixed(1)
}

function ms(value: number): string {
  return value.toFixed(1)
}
