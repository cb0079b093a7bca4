import type { RawImage } from '../../src/image/decode.js'

/** The procedural pictures of the goldens; `pixels.json` documents the same integer formulas for Python. */
type Formula = (x: number, y: number, c: number, w: number, h: number) => number

const div = (a: number, b: number) => Math.floor(a / b)
const within = (n: number, low: number, high: number) => n >= low && n <= high

const FORMULAS: Record<string, Formula> = {
  hash: (x, y, c) => ((x * 7 + y * 13 + c * 29) ^ (x * y)) & 255,
  gradient: (x, y, c, w, h) => {
    if (c === 0) return div(x * 255, Math.max(1, w - 1))
    if (c === 1) return div(y * 255, Math.max(1, h - 1))
    return div((x + y) * 255, Math.max(1, w + h - 2))
  },
  checker: (x, y, c) => ((div(x, 7) + div(y, 5) + div(c, 2)) & 1) * 255,
  edges: (x, y, c, w, h) => (Number(x * h > y * w) ^ Number(c === 1) ^ Number(x * 3 > w * 2)) * 255,
  strokes: (x, y, c) => {
    const u = x % 12
    const v = y % 18
    const column = div(x, 12)
    const row = div(y, 18)
    const g = (column * 7 + row * 11 + column * row) % 16
    const isInk =
      (Boolean(g & 1) && within(v, 2, 3) && within(u, 2, 9)) ||
      (Boolean(g & 2) && within(v, 8, 9) && within(u, 2, 9)) ||
      (Boolean(g & 4) && within(v, 14, 15) && within(u, 2, 9)) ||
      (Boolean(g & 8) && within(u, 2, 3) && within(v, 2, 15)) ||
      (g % 3 === 1 && within(u, 8, 9) && within(v, 2, 15))
    return isInk ? 20 + c * 30 : 245 - c * 10
  },
  blocks: (x, y, c, w, h) => {
    const a = div(x * 8, w)
    const b = div(y * 8, h)
    return ((a * 37 + b * 91 + c * 57) ^ (a * b * 13) ^ (w * 5 + h * 3)) & 255
  },
}

export function pattern(name: string, width: number, height: number): RawImage {
  const formula = FORMULAS[name]
  if (!formula) throw new Error(`test/support/patterns.ts knows no pattern ${name}`)
  const data = new Uint8Array(width * height * 3)
  let i = 0
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) data[i++] = formula(x, y, c, width, height)
  return { width, height, data }
}
