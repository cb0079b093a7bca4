/**
 * Measures what the text rule's confidence is made of:
 *
 *   npm run lines -- receipts.jsonl LINES.jsonl
 *   node bench/.build/bench/text/measure-confidence.js LINES.jsonl receipts.jsonl
 *
 * Of each receipt of the `train` part its own questions count as hits and misses, the same in other words too, and two
 * that no receipt answers as misses. It prints the weights that `src/text/confidence.ts` holds, and how well each half's
 * weights tell the other half's hits from its misses.
 */
import { boxScores, mean } from '../../src/evaluation/measures.js'
import type { Page } from '../../src/ocr/page.js'
import { type Signs, signsOf } from '../../src/text/confidence.js'
import { considered } from '../../src/text/rule.js'
import { readJsonLines } from './jsonl.js'
import { FOREIGN, REPHRASED } from './questions.js'

interface Row {
  image: string
  split: string
  field: string
  question: string
  /** In per cent. */
  lines: [number, number, number, number][]
}

interface Case {
  signs: Signs
  hit: boolean
  half: number
  /** Whether it is the receipt's own question. */
  own: boolean
}

const [linesFile, rowsFile] = process.argv.slice(2)
if (linesFile === undefined || rowsFile === undefined)
  throw new Error('measure-confidence.js LINES.jsonl QUESTIONS.jsonl')
const pages = new Map(readJsonLines<Page & { image: string }>(linesFile).map(page => [page.image, page]))
const rows = readJsonLines<Row>(rowsFile).filter(({ split, image }) => split === 'train' && pages.has(image))
const images = [...new Set(rows.map(({ image }) => image))]
const foreign = [0, 7].flatMap(start =>
  images.map((image, i) => ({ image, question: pick(FOREIGN, start + i), lines: [] })),
)
const own = rows.flatMap(row => caseOf(row, true))
const rephrased = rows.map((row, i) => ({ ...row, question: pick(REPHRASED[row.field] ?? [row.question], i) }))
const other = rephrased.flatMap(row => caseOf(row, false))
const cases = [...own, ...other, ...foreign.flatMap(row => caseOf(row, false))]

const names = Object.keys(cases[0]?.signs ?? {}) as (keyof Signs)[]
const halves = [0, 1].map(half => fit(cases.filter(one => one.half !== half)))
for (const [half, weights] of halves.entries()) {
  const others = own.filter(one => one.half === half)
  console.log(
    `half ${half} by the other's weights: area under the curve ${auc(others, weights).toFixed(3)}, of ${others.length}`,
  )
}
for (const question of new Set(rephrased.map(row => row.question))) {
  const some = rephrased.filter(row => row.question === question)
  const hits = some.flatMap(row => caseOf(row, false)).filter(({ hit }) => hit)
  console.log(`${question} ${((100 * hits.length) / some.length).toFixed(0)} % hit of ${some.length}`)
}
const all = fit(cases)
console.log('weights', Object.fromEntries(names.map((name, i) => [name, Number((all[i] as number).toFixed(2))])))
for (const [from, to] of [
  [0, 0.3],
  [0.3, 0.6],
  [0.6, 0.8],
  [0.8, 0.9],
  [0.9, 1],
] as const) {
  const some = own.filter(one => probability(one, all) >= from && probability(one, all) < to)
  console.log(
    `${from} to ${to}: ${some.length} questions, ${(100 * mean(some.map(({ hit }) => Number(hit)))).toFixed(1)} % hit`,
  )
}

function pick(questions: readonly string[], i: number): string {
  return questions[i % questions.length] as string
}

function caseOf({ image, question, lines }: Pick<Row, 'image' | 'question' | 'lines'>, isOwn: boolean): Case[] {
  const found = considered(pages.get(image) as Page, question)
  if (!found) return []
  const hit = lines.some(line => boxScores(found.box, line).recall >= 0.9)
  return [{ signs: signsOf(found), hit, half: images.indexOf(image) % 2, own: isOwn }]
}

/** Logistic regression with a weak pull to zero, by Newton's method's cheap cousin: gradient steps. */
function fit(some: readonly Case[]): number[] {
  const weights = names.map(() => 0)
  for (let step = 0; step < 20_000; step++) {
    const slope = weights.map(weight => -0.3 * weight)
    for (const one of some) {
      const rest = Number(one.hit) - probability(one, weights)
      for (const [i, name] of names.entries()) slope[i] = (slope[i] as number) + rest * one.signs[name]
    }
    for (const [i, value] of slope.entries()) weights[i] = (weights[i] as number) + (0.5 * value) / some.length
  }
  return weights
}

function probability({ signs }: Case, weights: readonly number[]): number {
  return 1 / (1 + Math.exp(-names.reduce((sum, name, i) => sum + (weights[i] as number) * signs[name], 0)))
}

function auc(some: readonly Case[], weights: readonly number[]): number {
  const hits = some.filter(({ hit }) => hit).map(one => probability(one, weights))
  const misses = some.filter(({ hit }) => !hit).map(one => probability(one, weights))
  const wins = hits.flatMap(hit => misses.map(miss => (hit > miss ? 1 : hit === miss ? 0.5 : 0)))
  return mean(wins)
}
