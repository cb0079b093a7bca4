/**
 * Which lines of an image's text a question is about. It has no words of any kind of document: it compares the
 * question's words with the lines, the kind of answer with the shape of a line, and where lines stand.
 */
import { type Box, FULL_BOX } from '../contract/box.js'
import type { Page } from '../ocr/page.js'
import { candidates } from './candidates.js'
import { confidenceOf, type Evidence } from './confidence.js'
import { layoutOf } from './layout.js'
import { matchLines } from './match.js'
import { readQuestion } from './question.js'
import { regionAround } from './region.js'
import { ranked, weightsFor } from './score.js'

export interface TextChoice {
  /** The whole image where `reason` is not null. */
  box: Box
  /** Why no line was chosen: there is none, or none that fits the question. */
  reason: 'no_text' | 'no_match' | null
  /** How likely the box is right, 0..1. */
  confidence: number
  /** Of the likeliest line; empty where none was chosen. */
  text: string
}

/** A choice that is less sure than this is none. */
const MIN_CONFIDENCE = 0.2

/** The region of the lines that the question is about, and the text of the likeliest of them. */
export function chooseLines(page: Page, question: string): TextChoice {
  const found = considered(page, question)
  const confidence = found ? confidenceOf(found) : 0
  if (found && confidence >= MIN_CONFIDENCE)
    return { box: found.box, reason: null, confidence, text: found.best.line.line.text }
  return { box: FULL_BOX, reason: page.lines.length === 0 ? 'no_text' : 'no_match', confidence, text: '' }
}

/** The best region, however sure it is, and what speaks for it; null where no line can be the answer. */
export function considered(page: Page, text: string): (Evidence & { box: Box }) | null {
  const layout = layoutOf(page)
  const question = readQuestion(text)
  const kind = question.kind?.name ?? null
  const found = ranked(candidates(layout, question, matchLines(layout.lines, question)), weightsFor(kind))
  const [best] = found
  return best ? { best, needsNoLabel: question.needsNoLabel, ...regionAround(found, layout) } : null
}
