import type { Size } from '../contract/box.js'
import type { Page, TextLine } from '../ocr/page.js'
import { type Words, wordsOf } from './words.js'

/** A line in pixels of the upright image. */
export interface PlacedLine {
  line: TextLine
  /** The line's text in the form NFKC. */
  text: string
  words: Words
  left: number
  top: number
  right: number
  bottom: number
  height: number
}

export interface Layout {
  lines: readonly PlacedLine[]
  size: Size
  /** Height of the middle one of the lines by height. */
  medianHeight: number
  /** Of all lines together. */
  top: number
  bottom: number
}

export function layoutOf({ lines, size }: Page): Layout {
  const placed = lines
    .map(line => {
      const [x1, y1, x2, y2] = line.box
      const [top, bottom] = [(y1 * size.height) / 100, (y2 * size.height) / 100]
      return { line, left: (x1 * size.width) / 100, right: (x2 * size.width) / 100, top, bottom, height: bottom - top }
    })
    .filter(({ left, right, height }) => right > left && height > 0)
    .map(place => {
      const text = place.line.text.normalize('NFKC')
      return { ...place, text, words: wordsOf(text) }
    })
  const heights = placed.map(({ height }) => height).sort((a, b) => a - b)
  return {
    lines: placed,
    size,
    medianHeight: heights[heights.length >> 1] ?? 1,
    top: Math.min(...placed.map(({ top }) => top)),
    bottom: Math.max(...placed.map(({ bottom }) => bottom)),
  }
}

/** Whether two lines stand in one row: they overlap by this part of the lower one's height. */
export function inOneRow(a: PlacedLine, b: PlacedLine, part = 0.4): boolean {
  return Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > part * Math.min(a.height, b.height)
}

/** How closely `value` stands to the right of `label`, 0..1; 0 where it does not. Across the whole image it is 0.7. */
export function rightOf(label: PlacedLine, value: PlacedLine, { size }: Layout): number {
  if (label === value || !inOneRow(label, value) || value.left < label.left) return 0
  return 1 - (0.3 * Math.max(0, value.left - label.right)) / size.width
}

/** How closely `value` stands below `label`, 0..1; 0 where it does not, or a line lies between. */
export function below(label: PlacedLine, value: PlacedLine): number {
  const gap = value.top - label.bottom
  const overlap = Math.min(label.right, value.right) - Math.max(label.left, value.left)
  const height = Math.max(label.height, value.height)
  if (label === value || overlap <= 0 || gap < -0.5 * Math.min(label.height, value.height) || gap > 1.5 * height)
    return 0
  return 1 - 0.3 * Math.max(0, gap / height)
}

/** Whether `value` stands in a column that `heading` may head: somewhere below it, and they overlap. */
export function inColumnOf(heading: PlacedLine, value: PlacedLine): boolean {
  const overlap = Math.min(heading.right, value.right) - Math.max(heading.left, value.left)
  return heading.bottom <= value.top + 0.5 * value.height && overlap > 0.3 * Math.min(width(heading), width(value))
}

function width({ left, right }: PlacedLine): number {
  return right - left
}
