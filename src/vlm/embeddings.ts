import { floats, type Session } from './session.js'
import type { Features } from './vision.js'

/** The decoder's input for token ids, `[ids, dim]`. */
export async function embedTokens(session: Session, ids: readonly number[]): Promise<Float32Array> {
  const { inputs_embeds: embeds } = await session.run({
    input_ids: { data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
  })
  if (!embeds) throw new Error('the embedding graph gave no inputs_embeds')
  return floats(embeds)
}

/** Overwrites the embedding of each `<image>` token with one row of the tiles' features, in order. */
export function placeFeatures(
  embeds: Float32Array,
  ids: readonly number[],
  { data, dim }: Features,
  imageToken: number,
): void {
  if (embeds.length !== ids.length * dim)
    throw new Error(`features are ${dim} wide, token embeddings ${embeds.length / ids.length}; the graphs do not match`)
  let next = 0
  ids.forEach((id, i) => {
    if (id !== imageToken) return
    embeds.set(data.subarray(next, next + dim), i * dim)
    next += dim
  })
  if (next !== data.length)
    throw new Error(`the prompt has places for ${next} feature values, the tiles gave ${data.length}`)
}
