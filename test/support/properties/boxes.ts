/** Arbitrary boxes and images. */
import fc from 'fast-check'
import type { Box, Size } from '../../../src/contract/box.js'

/** Two ends of a side, the first before the second. */
function ends(whole: number): fc.Arbitrary<[number, number]> {
  return fc
    .tuple(fc.nat({ max: whole - 1 }), fc.nat({ max: whole - 1 }))
    .map(([one, other]) => [Math.min(one, other), Math.max(one, other) + 1])
}

/** Valid boxes in parts of `whole`. */
export function boxesOf(whole: number): fc.Arbitrary<Box> {
  return fc.tuple(ends(whole), ends(whole)).map(([[x1, x2], [y1, y2]]) => [x1, y1, x2, y2])
}

/** Valid boxes of the contract, in whole per cent. */
export const boxes: fc.Arbitrary<Box> = boxesOf(100)

/** The longest side that the limits let in: a hundred megapixels at an aspect of a hundred. */
const side = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 100_000 }))

/** Sizes of images, most of them within the limits. */
export const sizes: fc.Arbitrary<Size> = fc.record({ width: side, height: side })
