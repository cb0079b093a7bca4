import type { RawImage } from '../../../src/image/decode.js'

/** Mean difference, and the share of values that differ by more than 4, of 255. */
export function difference(actual: RawImage, expected: RawImage): { mean: number; far: number } {
  let sum = 0
  let far = 0
  expected.data.forEach((value, i) => {
    const gap = Math.abs(value - (actual.data[i] ?? Number.NaN))
    sum += gap
    if (!(gap <= 4)) far++
  })
  return { mean: sum / expected.data.length, far: far / expected.data.length }
}

/** `t.same` takes seconds for what this takes a millisecond. */
export function isSame(actual: RawImage, expected: RawImage): boolean {
  const { width, height, data } = actual
  return width === expected.width && height === expected.height && Buffer.compare(data, expected.data) === 0
}
