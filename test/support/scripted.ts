import sharp from 'sharp'

/** Seeded numbers in [0, 1): mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A PNG of seeded noise in colour: the same bytes in every run, as what a model says of it depends on them. */
export async function noise(width: number, height: number): Promise<Buffer> {
  const random = seeded(width)
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => random() * 256)
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 0 })
    .toBuffer()
}

/**
 * A language model made of nothing but its seed: the logits after a text depend on all its tokens, and on
 * `favour(tokens)`, which raises the logits of some.
 */
export function scriptedModel(
  seed: number,
  vocabulary: number,
  favour: (tokens: readonly number[]) => Map<number, number>,
) {
  const fed: number[] = []
  let calls = 0
  const logits = (tokens: readonly number[]) => {
    const random = seeded(tokens.reduce((hash, token) => Math.imul(hash ^ token, 0x01000193) + 7, seed * 2654435761))
    const row = new Float32Array(vocabulary)
    // millions of numbers in some tests: a counted loop takes a fraction of the time of `Float32Array.from`
    for (let i = 0; i < vocabulary; i++) row[i] = random() * 4
    for (const [token, bonus] of favour(tokens)) row[token] = (row[token] ?? 0) + bonus
    return row
  }
  return {
    logits,
    calls: () => calls,
    /** As `decode` wants it: the first call returns the logits after the prompt, too. */
    async feed(tokens: readonly number[], rewind: number): Promise<Float32Array[]> {
      fed.splice(fed.length - rewind)
      const rows = calls++ === 0 ? [logits([])] : []
      for (const token of tokens) {
        fed.push(token)
        rows.push(logits(fed))
      }
      return rows
    },
  }
}
