/** Mutations of seeds for the short run in `npm test`: the same at each run. */

/** @param count How many. */
export function* mutations(seed: Buffer, count: number, maxLength: number): Generator<Buffer> {
  const random = makeRandom(seed.length * 31 + (seed[0] ?? 0))
  const below = (limit: number) => Math.floor(random() * limit)
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.from(seed)
    const at = below(bytes.length + 1)
    const length = 1 + below(16)
    const after = bytes.subarray(Math.min(bytes.length, at + length))
    const made = [
      () => flipped(bytes, 1 + below(4), below),
      () => bytes.subarray(0, at),
      () => Buffer.concat([bytes.subarray(0, at), after]),
      () => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, below(256)), bytes.subarray(at)]),
      () => Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]),
    ]
    yield (made[i % made.length]?.() ?? bytes).subarray(0, maxLength)
  }
}

function flipped(bytes: Buffer, count: number, below: (limit: number) => number): Buffer {
  for (let i = 0; i < count && bytes.length > 0; i++) {
    const at = below(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
  }
  return bytes
}

/** Numbers from 0 to 1 by a linear congruential generator (Numerical Recipes). */
function makeRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
