/** The tables of the other parts. */
import type { LoadStep, ProcessesRow, Results, SecondQuestion, TextRow } from '../results.js'
import { ms, table, times, whole } from './table.js'

export function secondSection(rows: readonly SecondQuestion[]): string[] {
  if (rows.length === 0) return []
  const head = [
    'longest edge',
    'first, ms',
    'second, ms',
    'second is faster by',
    'image known',
    'vision',
    'prefill',
    'generate',
  ]
  const lines = rows.map(row => [
    `${row.resolution}, ${row.precision}`,
    ms(row.first_ms),
    ms(row.second_ms),
    times(row.faster_by),
    `${row.reused} of ${row.rounds}`,
    ...['vision', 'prefill', 'generate'].map(
      stage => `${ms(row.first_stages[stage])} -> ${ms(row.second_stages[stage])}`,
    ),
  ])
  return [`## A second question on the same image (full size)\n\n${table(head, lines)}\n`]
}

export function agreementSection({ agreement }: Results): string[] {
  if (agreement === null) return []
  const { pages, precision, reference, mean_iou, equal, accuracy } = agreement
  const head = [
    'bundled cropper',
    'pages',
    'mean IoU of boxes',
    'equal boxes, %',
    `exact match, ${reference}, %`,
    `${precision}, %`,
  ]
  const percent = (share: number) => (100 * share).toFixed(1)
  const line = [
    `${precision} against ${reference}`,
    String(pages),
    mean_iou.toFixed(4),
    percent(equal),
    percent(accuracy.reference),
    percent(accuracy.precision),
  ]
  return [`## Agreement of precisions\n\n${table(head, [line])}\n`]
}

export function loadSections(steps: readonly LoadStep[]): string[] {
  const sets = [...new Set(steps.map(({ settings }) => JSON.stringify(settings)))]
  return sets.map(set => {
    const own = steps.filter(({ settings }) => JSON.stringify(settings) === set)
    const [first] = own
    const settings = Object.entries(first?.settings ?? {}).map(([name, value]) => `${name}=${value}`)
    const head = [
      'requests/s',
      'of capacity',
      'boxes/s',
      'p50, ms',
      'p99, ms',
      '200, %',
      '429, %',
      '503, %',
      '504, %',
      'loop delay p99, ms',
      'sent late p99, ms',
      'HTTP MiB',
      'engines MiB',
    ]
    const title = `## Load: bundled models, ${settings.length > 0 ? settings.join(' ') : 'default settings'}`
    const about = `Capacity (closed loop, 8 callers): ${first?.capacity} boxes/s. Each rate for ${first?.seconds} s. Loop delay without requests: ${ms(first?.idle_loop_delay_p99_ms)} ms.`
    return `${title}\n\n${about}\n\n${table(head, own.map(loadLine))}\n`
  })
}

function loadLine(step: LoadStep): string[] {
  const share = (status: string) => ((100 * (step.statuses[status] ?? 0)) / step.requests).toFixed(1)
  return [
    step.rate.toFixed(1),
    `${step.times_capacity}x`,
    step.throughput.toFixed(1),
    ms(step.p50_ms),
    ms(step.p99_ms),
    ...['200', '429', '503', '504'].map(share),
    ms(step.loop_delay_p99_ms),
    ms(step.generator_late_p99_ms),
    whole(step.http_rss_mb),
    step.engine_rss_mb.join(' + '),
  ]
}

export function processesSection(rows: readonly ProcessesRow[]): string[] {
  if (rows.length === 0) return []
  const head = [
    'engine processes',
    'one box alone, ms',
    'boxes/s (callers)',
    'shares of memory (Pss) together, MiB',
    'each: Rss / Pss / private, MiB',
  ]
  const lines = rows.map(({ processes, precision, pss_sum_mb, engines, alone_ms, boxes_per_s, callers }) => [
    `${processes}, ${precision}`,
    ms(alone_ms),
    `${boxes_per_s.toFixed(2)} (${callers})`,
    String(pss_sum_mb),
    engines.map(({ rss_mb, pss_mb, private_mb }) => `${rss_mb} / ${pss_mb} / ${private_mb}`).join('; '),
  ])
  return [`## Engine processes (full size, the cores shared among them)\n\n${table(head, lines)}\n`]
}

export function textSection(row: TextRow | null): string[] {
  if (row === null) return []
  const head = [
    'pages',
    'first question, ms',
    'nine of ten within',
    'decode',
    'preprocess',
    'detect',
    'recognize',
    'second',
  ]
  const { stages } = row
  const cells = [
    row.total_ms,
    row.p90_ms,
    stages.decode,
    stages.preprocess,
    stages.detect,
    stages.recognize,
    row.second_ms,
  ]
  const memory = `Peak MiB: HTTP process ${whole(row.http_rss_mb)}, engine ${whole(row.engine_rss_mb)}.`
  return [`## The text cropper\n\n${table(head, [[String(row.pages), ...cells.map(ms)]])}\n\n${memory}\n`]
}
