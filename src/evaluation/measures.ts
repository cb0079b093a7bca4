/** The measures of an evaluation, as pure functions. Scores are 0..1; boxes `[x1, y1, x2, y2]` in one common unit. */
import { normaliseAsReference, normaliseOfficially, normaliseSpacing } from './normalise.js'

export type Corners = readonly [x1: number, y1: number, x2: number, y2: number]

/** 1 if the prediction equals one of the answers but for case, repeated spaces and one trailing full stop, else 0. */
export function exactMatch(prediction: string, answers: readonly string[]): number {
  const found = normaliseSpacing(prediction)
  return answers.some(answer => normaliseSpacing(answer) === found) ? 1 : 0
}

/**
 * VQA accuracy: the mean over all leave-one-out sets of min(1, matches / 3), after the official normalisation.
 * @throws RangeError where there are no answers
 */
export function vqaAccuracy(prediction: string, answers: readonly string[]): number {
  return leaveOneOut(prediction, answers, normaliseOfficially)
}

/** VQA accuracy as the CropVLM reference code computes it: lower case and one trailing full stop removed, no more. */
export function vqaAccuracyAsReference(prediction: string, answers: readonly string[]): number {
  return leaveOneOut(prediction, answers, normaliseAsReference)
}

const ANNOTATORS = 10

/** A list of fewer than ten answers is repeated up to ten, so that with a single answer the score is 0 or 1. */
function leaveOneOut(prediction: string, answers: readonly string[], normalise: (text: string) => string): number {
  if (answers.length === 0) throw new RangeError('A question without answers cannot be scored.')
  const found = normalise(prediction)
  const count = Math.max(ANNOTATORS, answers.length)
  const matches = Array.from({ length: count }, (_, i) => normalise(answers[i % answers.length] ?? '') === found)
  const total = matches.filter(Boolean).length
  return mean(matches.map(left => Math.min(1, (total - Number(left)) / 3)))
}

const ANLS_THRESHOLD = 0.5

/**
 * ANLS (Biten et al. 2019): the best 1 - NL over the answers, and 0 where NL is 0.5 or more. NL is the edit distance
 * divided by the length of the longer text. What does not count for exact match does not count here.
 */
export function anls(prediction: string, answers: readonly string[]): number {
  const found = [...normaliseSpacing(prediction)]
  const scores = answers.map(answer => {
    const wanted = [...normaliseSpacing(answer)]
    const longest = Math.max(found.length, wanted.length)
    const distance = longest === 0 ? 0 : editDistance(found, wanted) / longest
    return distance < ANLS_THRESHOLD ? 1 - distance : 0
  })
  return Math.max(0, ...scores)
}

/** Levenshtein's distance: the number of insertions, deletions and substitutions of code points. */
function editDistance(a: readonly string[], b: readonly string[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of a.entries()) {
    const next = [i + 1]
    for (const [j, other] of b.entries())
      next.push(Math.min((row[j] ?? 0) + Number(letter !== other), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    row = next
  }
  return row.at(-1) ?? 0
}

/** How well a predicted box covers the true box (paper, Appendix B). */
export interface BoxScores {
  iou: number
  /** Share of the true box that is covered. */
  recall: number
  /** 1 if the whole true box lies inside the predicted one, else 0. */
  fullRecall: number
}

export function boxScores(predicted: Corners, truth: Corners): BoxScores {
  const overlap = area([
    Math.max(predicted[0], truth[0]),
    Math.max(predicted[1], truth[1]),
    Math.min(predicted[2], truth[2]),
    Math.min(predicted[3], truth[3]),
  ])
  const contains =
    predicted[0] <= truth[0] && predicted[1] <= truth[1] && predicted[2] >= truth[2] && predicted[3] >= truth[3]
  return {
    iou: overlap / (area(predicted) + area(truth) - overlap),
    recall: overlap / area(truth),
    fullRecall: Number(contains),
  }
}

/** Share of the image that a box in per cent covers (the paper's Size). */
export function relativeSize(box: Corners): number {
  return area(box) / 10_000
}

function area([x1, y1, x2, y2]: Corners): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
}

/** The mean; NaN of an empty list, which would otherwise look like a score of 0. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * The percentile by nearest rank: the smallest value that at least `share` (0..1) of the values do not exceed.
 * NaN of an empty list.
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}
