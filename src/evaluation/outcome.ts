/** What an evaluation scores: a question with its right answers, and what the service replied to it. */
import type { Corners } from './measures.js'

/** One question about one picture. */
export interface Page {
  id: string
  /** Kind of page; scores are also given for each kind apart. */
  kind: string
  /** Absolute path of the image file. */
  image: string
  question: string
  /** The answers that count as right, one at least. */
  answers: string[]
  /** The region with the answer in per cent of the image; null where the data has none. */
  box: Corners | null
}

/** The parts of a reply of `/answer` with `compare` that are scored. */
export interface Reply {
  bbox: Corners
  decision: string
  reason: string | null
  confidence: number | null
  /** Why `zoom=auto` would leave the crop out; null if it would not. */
  would_skip: string | null
  answer: string
  /** The words with which the target declined, and its answer is empty; null, or absent from an older service, if it did not. */
  refusal?: string | null
  /** Tokens as the target counts them; null where it does not. */
  target: { usage: Usage | null }
  compare: { answer: string; refusal?: string | null; usage: Usage | null }
  timings_ms: Record<string, number>
}

export interface Usage {
  prompt_tokens: number
}

export interface Answered {
  page: Page
  reply: Reply
  /** Milliseconds from sending the request to having read the whole reply, measured by the client. */
  latencyMs: number
}

export interface Failed {
  page: Page
  /** HTTP status; null where there was no reply. */
  status: number | null
  error: string
}

export type Outcome = Answered | Failed

export function isFailed(outcome: Outcome): outcome is Failed {
  return 'error' in outcome
}

export function isAnswered(outcome: Outcome): outcome is Answered {
  return !isFailed(outcome)
}
