import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openImage, type RawImage } from '../../src/image/decode.js'

/** Files that `cropvlm-train golden` and `cropvlm-train fixture` wrote. */
export const GOLDEN = fileURLToPath(new URL('../fixtures/golden/', import.meta.url))
export const MODELS = fileURLToPath(new URL('../fixtures/models/', import.meta.url))
/** The real tokenizer and configuration; a test that needs it skips where it is absent. */
export const SMOLVLM = fileURLToPath(new URL('../../../shared/smolvlm-256m-instruct/', import.meta.url))

/** The cases of one golden file; the caller states their shape. */
export function goldenCases<T>(file: string): T[] {
  return JSON.parse(readFileSync(`${GOLDEN}${file}`, 'utf8')).cases
}

/** The beginning of a question as a test's name: TAP wants one line of plain characters. */
export function label(question: string): string {
  return encodeURI([...question].slice(0, 30).join(''))
}

/** One case of `pixels.json`: a picture by its formula, and the files that hold what transformers makes of it. */
export interface PixelsCase {
  pattern: string
  width: number
  height: number
  longest_edge: number
  tile: number
  expected: string
  global: string | null
}

/** A picture among the goldens. */
export async function goldenImage(file: string): Promise<RawImage> {
  return (await openImage(readFileSync(`${GOLDEN}${file}`), { maxPixels: 1e8, maxAspect: 1000 })).pixels()
}
