/** A question with what was answered to it, as the report shows it. */
import { boxScores, type Corners } from '../../evaluation/measures.js'
import { type AnswerScores, scoreSaid } from '../../evaluation/scores.js'

export interface Case {
  id: string
  kind: string
  question: string
  /** The right answers; empty where the data has none. */
  answers: readonly string[]
  /** Absolute path of the image; null where there is none to show. */
  image: string | null
  /** The region with the answer in per cent; null where the data has none. */
  trueBox: Corners | null
  /** What was found; null where the request failed. */
  box: Corners | null
  iou: number | null
  decision: string | null
  reason: string | null
  confidence: number | null
  /** With the crop; null where nothing was asked, or it failed. */
  withCrop: Said | null
  /** Without it; null where it was not compared. */
  without: Said | null
  error: string | null
}

export interface Said {
  /** The answer, or the words of a refusal. */
  text: string
  refused: boolean
  /** Null where there are no right answers. */
  scores: AnswerScores | null
}

/** What a report is made of. */
export interface Source {
  cases: Case[]
  /** What was evaluated. */
  facts: (readonly [name: string, value: string])[]
  /** What the reader should know. */
  notes: string[]
}

/** What was said, scored where there is something to score it by. */
export function said(answer: unknown, refusal: unknown, answers: readonly string[]): Said | null {
  if (typeof answer !== 'string') return null
  const declined = typeof refusal === 'string' ? refusal : null
  const scores = answers.length > 0 ? scoreSaid({ answer, refusal: declined }, answers) : null
  return { text: answer === '' && declined !== null ? declined : answer, refused: declined !== null, scores }
}

export function iouOf(box: Corners | null, truth: Corners | null): number | null {
  return box && truth ? boxScores(box, truth).iou : null
}

export function corners(value: unknown): Corners | null {
  const isBox = Array.isArray(value) && value.length === 4 && value.every(number => typeof number === 'number')
  return isBox ? (value as unknown as Corners) : null
}

export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}

export function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise
}

export function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
