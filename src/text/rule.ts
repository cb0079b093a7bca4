/**
 * Which lines of an image's text a question is about. It has no words of any kind of document: it compares the
 * question's words with the lines, the kind of answer with the shape of a line, and where lines stand.
 */
import { type Box, FULL_BOX } from '../contract/box.js'
import type { Page } from '../ocr/page.js'
import { type Candidate, candidates } from './candidates.js'
import { confidenceOf } from './confidence.js'
import { layoutOf } from './layout.js'
import { matchLines } from './match.js'
import { readQuestion } from './question.js'
import { regionAround } from './region.js'
import { ranked, weightsFor } from './score.js'

export type TextChoice =
  | { box: Box; reason: null; confidence: number; text: string }
  | { box: Box; reason: 'no_text' | 'no_match'; confidence: 0; text: '' }

/** The region of the lines that the question is about, and the text of the likeliest of them. */
export function chooseLines(page: Page, text: string): TextChoice {
  const layout = layoutOf(page)
  if (layout.lines.length === 0) return { box: FULL_BOX, reason: 'no_text', confidence: 0, text: '' }
  const question = readQuestion(text)
  const matches = matchLines(
    layout.lines.map(({ line }) => line.text),
    question,
  )
  const found = ranked(
    candidates(layout, question, matches),
    weightsFor(question.kind?.name ?? null, question.asksForSum),
  )
  const [best] = found
  if (!best) return { box: FULL_BOX, reason: 'no_match', confidence: 0, text: '' }
  const { box, certainty } = regionAround(found, layout)
  const confidence = confidenceOf({ best, certainty })
  return { box, reason: null, confidence, text: best.line.line.text }
}

/** What the confidence is made of. */
export interface Evidence {
  best: Candidate
  /** Sum of the shares of the candidates in the box. */
  certainty: number
}
