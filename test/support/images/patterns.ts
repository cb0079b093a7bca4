import type { RawImage } from '../../../src/image/decode.js'

/**
 * Fills row `y` of a picture of `w` x `h` pixels, three bytes a pixel. Whole rows, not single values, because some
 * pictures have 24 megapixels: a call a value takes most of a test's time.
 */
type Formula = (row: Uint8Array, y: number, w: number, h: number) => void

/** Whole-number division of numbers that are not negative. */
const div = (a: number, b: number) => (a / b) | 0

/** The procedural pictures of the goldens; `pixels.json` documents the same integer formulas for Python. */
const FORMULAS: Record<string, Formula> = {
  hash(row, y, w) {
    for (let x = 0, i = 0; x < w; x++)
      for (let c = 0; c < 3; c++) row[i++] = ((x * 7 + y * 13 + c * 29) ^ (x * y)) & 255
  },
  gradient(row, y, w, h) {
    for (let x = 0, i = 0; x < w; x++) {
      row[i++] = div(x * 255, Math.max(1, w - 1))
      row[i++] = div(y * 255, Math.max(1, h - 1))
      row[i++] = div((x + y) * 255, Math.max(1, w + h - 2))
    }
  },
  checker(row, y, w) {
    for (let x = 0, i = 0; x < w; x++)
      for (let c = 0; c < 3; c++) row[i++] = ((div(x, 7) + div(y, 5) + div(c, 2)) & 1) * 255
  },
  edges(row, y, w, h) {
    for (let x = 0, i = 0; x < w; x++)
      for (let c = 0; c < 3; c++) row[i++] = (Number(x * h > y * w) ^ Number(c === 1) ^ Number(x * 3 > w * 2)) * 255
  },
  strokes(row, y, w) {
    const v = y % 18
    const line = div(y, 18)
    for (let x = 0, i = 0; x < w; x++) {
      const column = div(x, 12)
      const isInk = hasInk((column * 7 + line * 11 + column * line) % 16, x % 12, v)
      for (let c = 0; c < 3; c++) row[i++] = isInk ? 20 + c * 30 : 245 - c * 10
    }
  },
  blocks(row, y, w, h) {
    const b = div(y * 8, h)
    for (let x = 0, i = 0; x < w; x++) {
      const a = div(x * 8, w)
      for (let c = 0; c < 3; c++) row[i++] = ((a * 37 + b * 91 + c * 57) ^ (a * b * 13) ^ (w * 5 + h * 3)) & 255
    }
  },
}

/** Whether the letter-like shape `glyph` (0..15) has ink at column `u` (0..11) and line `v` (0..17) of its cell. */
function hasInk(glyph: number, u: number, v: number): boolean {
  const isAcross = u >= 2 && u <= 9
  const isDown = v >= 2 && v <= 15
  return (
    ((glyph & 1) !== 0 && (v === 2 || v === 3) && isAcross) ||
    ((glyph & 2) !== 0 && (v === 8 || v === 9) && isAcross) ||
    ((glyph & 4) !== 0 && (v === 14 || v === 15) && isAcross) ||
    ((glyph & 8) !== 0 && (u === 2 || u === 3) && isDown) ||
    (glyph % 3 === 1 && (u === 8 || u === 9) && isDown)
  )
}

export function pattern(name: string, width: number, height: number): RawImage {
  const fillRow = FORMULAS[name]
  if (!fillRow) throw new Error(`test/support/images/patterns.ts knows no pattern ${name}`)
  const data = new Uint8Array(width * height * 3)
  const stride = width * 3
  for (let y = 0; y < height; y++) fillRow(data.subarray(y * stride, (y + 1) * stride), y, width, height)
  return { width, height, data }
}
