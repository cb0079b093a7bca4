/** Attention as maps over an image. The trainer has the same rules in `cropvlm_trainer/attention/maps.py`. */
import type { AttentionMap } from './box.js'

/** What the attention of a question is compared with (ViCrop's released code). It is asked in the same prompt. */
export const GENERAL_QUESTION = 'Write a general description of the image.'

/** The attention that a token counts with at least where it is divided by. */
const LEAST = 1e-9

/** The relative attention: the question's map over the general question's, cell by cell. */
export function relative(question: AttentionMap, general: AttentionMap): AttentionMap {
  const { rows, cols } = question
  return { rows, cols, cells: question.cells.map((value, i) => value / Math.max(general.cells[i] as number, LEAST)) }
}
