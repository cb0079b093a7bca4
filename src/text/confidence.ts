/**
 * How sure the rule is, as a share of hits: `bench/text/measure-confidence.ts` measured the weights on the questions about 340
 * receipts, on the same in other words, and on 1,360 that no receipt answers, which count as misses.
 */
import type { Candidate } from './candidates.js'

/** What the confidence is made of. */
export interface Evidence {
  /** The likeliest candidate. */
  best: Candidate
  /** Sum of the shares of the candidates in the box, 0..1. */
  certainty: number
  /** As of the question. */
  needsNoLabel: boolean
}

/** The evidence as numbers, for three ways to find a line: by a label, free of one where none is needed, by its shape alone. */
export interface Signs {
  label: number
  /** The part of what the question names that the labels say; 0 without a label. */
  labelNamed: number
  free: number
  shape: number
  /** Log odds of the certainty. */
  labelCertainty: number
  freeCertainty: number
  shapeCertainty: number
  /** How surely the line was read, less what a clear one has. */
  reading: number
}

const WEIGHTS: Signs = {
  label: -2.47,
  labelNamed: 3.39,
  free: 0.16,
  shape: -0.94,
  labelCertainty: 0.51,
  freeCertainty: 0.59,
  shapeCertainty: 0.11,
  reading: 4.24,
}
/** A label below this share of the best match is none. */
const LABELLED = 0.4
/** What a clear line is read with. */
const CLEAR = 0.95
/** Log odds beyond this tell nothing more. */
const MAX_ODDS = 5

/** How likely the box is right, 0..1. */
export function confidenceOf(evidence: Evidence): number {
  const signs = signsOf(evidence)
  const odds = Object.entries(WEIGHTS).reduce((sum, [name, weight]) => sum + weight * signs[name as keyof Signs], 0)
  return 1 / (1 + Math.exp(-odds))
}

export function signsOf({ best: { features, line }, certainty, needsNoLabel }: Evidence): Signs {
  const odds = Math.max(-MAX_ODDS, Math.min(MAX_ODDS, Math.log(certainty / Math.max(1e-9, 1 - certainty))))
  const isLabelled = features.link >= LABELLED
  const isFree = needsNoLabel && !isLabelled
  const isShape = !needsNoLabel && !isLabelled
  return {
    label: isLabelled ? 1 : 0,
    labelNamed: isLabelled ? features.named : 0,
    free: isFree ? 1 : 0,
    shape: isShape ? 1 : 0,
    labelCertainty: isLabelled ? odds : 0,
    freeCertainty: isFree ? odds : 0,
    shapeCertainty: isShape ? odds : 0,
    reading: line.line.score - CLEAR,
  }
}
