/** How a region grows out of a box that a model named: small boxes tend to miss what they are meant to hold. */
import type { Rect, Size } from '../../contract/box.js'

export type Growth = (box: Rect, image: Size) => Rect

export const noGrowth: Growth = box => box

/** `factor` times the area, with the same shape. */
export function byArea(factor: number): Growth {
  return box => scaled(box, Math.sqrt(factor), Math.sqrt(factor))
}

/** Upper bounds of a box's area in per cent of the image, and the factor by which a smaller one's area grows. */
const TABLE_3: readonly (readonly [below: number, factor: number])[] = [
  [0.16, 45],
  [0.38, 10],
  [0.91, 4],
  [3.51, 2],
]

/** The growth of the paper's seed boxes by their area (Table 3), with the percentiles of the paper's own set as bounds. */
export const table3: Growth = box => {
  const [x1, y1, x2, y2] = box
  const area = ((x2 - x1) * (y2 - y1)) / 100
  const side = Math.sqrt(TABLE_3.find(([below]) => area < below)?.[1] ?? 1)
  return scaled(box, side, side)
}

/** Each side at least `pixels` pixels of the original image long. */
export function atLeast(pixels: number): Growth {
  return (box, { width, height }) => {
    const [x1, y1, x2, y2] = box
    const factor = (length: number, side: number) => Math.max(1, ((pixels / side) * 100) / length)
    return scaled(box, factor(x2 - x1, width), factor(y2 - y1, height))
  }
}

/** The box with longer sides about its centre, shifted back inside the image. */
function scaled([x1, y1, x2, y2]: Rect, byX: number, byY: number): Rect {
  const [left, right] = inside(x1, x2, byX)
  const [top, bottom] = inside(y1, y2, byY)
  return [left, top, right, bottom]
}

function inside(start: number, end: number, by: number): [number, number] {
  const length = Math.min(100, (end - start) * by)
  const from = Math.min(Math.max(0, (start + end - length) / 2), 100 - length)
  return [from, from + length]
}
