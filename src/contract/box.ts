/**
 * The box of the CropVLM contract: its corners in whole per cent of the upright image, its text ` [x1, y1, x2, y2].`,
 * and what makes it valid.
 */

/** `[x1, y1, x2, y2]` in whole per cent, 0..100, x2 > x1 and y2 > y1. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

/** `[x1, y1, x2, y2]` in per cent, not rounded. */
export type Rect = readonly [x1: number, y1: number, x2: number, y2: number]

/** `[x1, y1, x2, y2]` in whole pixels of an image of known size. */
export type PixelBox = readonly [x1: number, y1: number, x2: number, y2: number]

export interface Size {
  width: number
  height: number
}

/** Why a model's text holds no valid box. */
export type BoxProblem = 'no_box' | 'out_of_range' | 'empty_box'

export const FULL_BOX: Box = [0, 0, 100, 100]

/** The special token that follows the box's text, and ends the answer. */
export const END_OF_UTTERANCE = '<end_of_utterance>'

// The white space of JSON: `\s` takes other characters than Python's, which reads the same texts in the trainer.
const SPACE = '[ \\t\\n\\r]*'
const NUMBER = `${SPACE}(\\d{1,4})${SPACE}`
const BOX_TEXT = new RegExp(`^${SPACE}\\[${[NUMBER, NUMBER, NUMBER, NUMBER].join(',')}\\]\\.?${SPACE}$`)

/** Why numbers are no valid box; null if they are one. */
export function boxProblem(numbers: readonly number[]): BoxProblem | null {
  const [x1, y1, x2, y2] = numbers
  if (numbers.length !== 4 || x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined)
    return 'no_box'
  if (numbers.some(n => !Number.isInteger(n) || n < 0 || n > 100)) return 'out_of_range'
  if (x2 <= x1 || y2 <= y1) return 'empty_box'
  return null
}

/** Reads a box from a model's whole answer. An answer that holds anything besides the box is not accepted. */
export function parseBox(text: string): { box: Box } | { problem: BoxProblem } {
  const numbers = BOX_TEXT.exec(text)?.slice(1).map(Number)
  const problem = numbers ? boxProblem(numbers) : 'no_box'
  if (problem || !numbers) return { problem: problem ?? 'no_box' }
  return { box: numbers as unknown as Box }
}

/** The box as the model writes it, without the leading space: `[12, 5, 80, 47].` */
export function formatBox(box: Box): string {
  return `[${box.join(', ')}].`
}

/**
 * Per cent to pixels: floor of the top-left, ceiling of the bottom-right; at least one pixel each way.
 * @param whole What the box's numbers are parts of: 1000 where they are thousandths.
 */
export function toPixels(box: Box, { width, height }: Size, whole = 100): PixelBox {
  const [x1, y1, x2, y2] = box
  const left = Math.min(Math.floor((x1 * width) / whole), width - 1)
  const top = Math.min(Math.floor((y1 * height) / whole), height - 1)
  return [
    left,
    top,
    Math.max(Math.ceil((x2 * width) / whole), left + 1),
    Math.max(Math.ceil((y2 * height) / whole), top + 1),
  ]
}

/** Share of the image that a box covers, 0..1. */
export function areaShare([x1, y1, x2, y2]: Box): number {
  return ((x2 - x1) * (y2 - y1)) / 10_000
}

/** Grows the box's area by `factor` about its centre, then takes the whole per cents around it. */
export function expandBox(box: Box, factor: number): Box {
  return roundOutwards(grow(box, factor))
}

/** The box with `factor` times its area about the same centre, cut off at the image's edges (paper, Appendix G). */
export function grow([x1, y1, x2, y2]: Rect, factor: number): Rect {
  const side = Math.sqrt(factor)
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2]
  const [w, h] = [((x2 - x1) / 2) * side, ((y2 - y1) / 2) * side]
  return [Math.max(0, x - w), Math.max(0, y - h), Math.min(100, x + w), Math.min(100, y + h)]
}

/** The smallest box of whole per cents that holds the whole rectangle; always a valid box. */
export function roundOutwards([x1, y1, x2, y2]: Rect): Box {
  const left = clamp(Math.floor(x1), 0, 99)
  const top = clamp(Math.floor(y1), 0, 99)
  return [left, top, clamp(Math.ceil(x2), left + 1, 100), clamp(Math.ceil(y2), top + 1, 100)]
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
