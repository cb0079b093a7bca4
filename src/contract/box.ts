/**
 * The box of the CropVLM contract: its corners in whole per cent of the upright image, its text ` [x1, y1, x2, y2].`,
 * and what makes it valid.
 */

/** `[x1, y1, x2, y2]` in whole per cent, 0..100, x2 > x1 and y2 > y1. */
export type Box = readonly [x1: number, y1: number, x2: number, y2: number]

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

const BOX_TEXT = /^\s*\[\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\]\.?\s*$/

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

/** Per cent to pixels: floor of the top-left, ceiling of the bottom-right; at least one pixel each way. */
export function toPixels(box: Box, { width, height }: Size): PixelBox {
  const [x1, y1, x2, y2] = box
  const left = Math.min(Math.floor((x1 * width) / 100), width - 1)
  const top = Math.min(Math.floor((y1 * height) / 100), height - 1)
  return [
    left,
    top,
    Math.max(Math.ceil((x2 * width) / 100), left + 1),
    Math.max(Math.ceil((y2 * height) / 100), top + 1),
  ]
}

/**
 * Grows the box's area by `factor` about its centre and clamps it to the image (paper, Appendix G).
 * Rounds outwards, so the result always contains the box.
 */
export function expandBox(box: Box, factor: number): Box {
  const side = Math.sqrt(factor)
  const [x1, y1, x2, y2] = box
  const growX = ((x2 - x1) * (side - 1)) / 2
  const growY = ((y2 - y1) * (side - 1)) / 2
  return [
    Math.max(0, Math.floor(x1 - growX)),
    Math.max(0, Math.floor(y1 - growY)),
    Math.min(100, Math.ceil(x2 + growX)),
    Math.min(100, Math.ceil(y2 + growY)),
  ]
}
