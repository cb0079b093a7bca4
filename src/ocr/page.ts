import type { Size } from '../contract/box.js'

/** What `/info` and a reply's `model.id` name the reader. */
export const READER_ID = 'pp-ocr-v4'

/** `[x1, y1, x2, y2]` in per cent of the upright image, not rounded. */
export type LineBox = readonly [x1: number, y1: number, x2: number, y2: number]

/** One line of text as it stands in an image. */
export interface TextLine {
  /** The upright rectangle that holds the line; a slanted line fills only part of it. */
  box: LineBox
  text: string
  /** Mean probability of the line's characters, 0..1. */
  score: number
}

/** Milliseconds: reading the file, making it smaller, finding the lines, cutting them out and reading them. */
export type ReadTimings = Record<'decode' | 'preprocess' | 'detect' | 'recognize', number>

/** All text of one image. */
export interface Page {
  /** From top to bottom; those of one row from left to right. Empty where the image holds no text. */
  lines: readonly TextLine[]
  /** Of the image after EXIF orientation, in pixels. */
  size: Size
}
