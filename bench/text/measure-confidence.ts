/**
 * Measures what the text rule's confidence is made of:
 *
 *   npm run lines -- receipts.jsonl LINES.jsonl
 *   node bench/.build/bench/text/measure-confidence.js LINES.jsonl receipts.jsonl
 *
 * Of each receipt of the `train` part its own questions count as hits and misses, the same in other words too, and one of
 * each kind that no receipt answers as a miss: of questions whose words are not on the page, as many have an answer there as
 * have none. It prints the weights that `src/text/confidence.ts` holds, and how well each half's weights tell the other
 * half's hits from its misses.
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
const foreign = Object.values(FOREIGN).flatMap(questions =>
  images.map((image, i) => ({ image, question: pick(questions, i), lines: [] })),
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
const wrong = foreign.flatMap(row => caseOf(row, false)).map(one => probability(one, all))
const share = (least: number) => ((100 * wrong.filter(p => p >= least).length) / foreign.length).toFixed(1)
console.log(`of ${foreign.length} questions without an answer ${share(0.2)} % get 0.2 or more, ${share(0.6)} % get 0.6`)
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

/** Logistic regression with a weak pull to zero, by Newton's method. */
function fit(some: readonly Case[]): number[] {
  const pull = 0.3
  let weights = names.map(() => 0)
  for (let step = 0; step < 20; step++) {
    const slope = weights.map(weight => -pull * weight)
    const curvature = names.map((_, i) => names.map((_, j) => (i === j ? pull : 0)))
    for (const one of some) {
      const p = probability(one, weights)
      for (const [i, name] of names.entries()) {
        slope[i] = (slope[i] as number) + (Number(one.hit) - p) * one.signs[name]
        const row = curvature[i] as number[]
        for (const [j, other] of names.entries())
          row[j] = (row[j] as number) + p * (1 - p) * one.signs[name] * one.signs[other]
      }
    }
    const change = solve(curvature, slope)
    weights = weights.map((weight, i) => weight + (change[i] as number))
  }
  return weights
}

/** The x of `matrix * x = values`, by elimination; the matrix is positive definite, so that no pivot is 0. */
function solve(matrix: readonly (readonly number[])[], values: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, values[i] as number])
  for (const [i, pivot] of rows.entries())
    for (const [k, row] of rows.entries()) {
      if (k === i) continue
      const factor = (row[i] as number) / (pivot[i] as number)
      for (const [j, value] of pivot.entries()) row[j] = (row[j] as number) - factor * value
    }
  return rows.map((row, i) => (row[rows.length] as number) / (row[i] as number))
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
