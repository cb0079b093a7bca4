/** The same bytes, cut anywhere. */
import fc from 'fast-check'

/** Lengths of pieces; the last takes what is left. */
export const pieces: fc.Arbitrary<number[]> = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 40 })),
  { maxLength: 80 },
)

/** Each piece is a copy, as it is where it has come over a network. */
export function inPieces(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const cut: Buffer[] = []
  let at = 0
  for (const length of [...lengths, bytes.length]) {
    if (at >= bytes.length) break
    cut.push(Buffer.from(bytes.subarray(at, at + length)))
    at += length
  }
  return cut
}
