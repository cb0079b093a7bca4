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

/** Overwrites the embedding of each `<image>` token with one row of the images' features, in order. */
export function placeFeatures(
  embeds: Float32Array,
  ids: readonly number[],
  images: readonly Features[],
  imageToken: number,
): void {
  const width = embeds.length / ids.length
  for (const { dim } of images)
    if (dim !== width) throw new Error(`features are ${dim} wide, token embeddings ${width}; the graphs do not match`)
  const places = ids.flatMap((id, i) => (id === imageToken ? [i] : []))
  const rows = images.flatMap(({ data, dim }) =>
    Array.from({ length: data.length / dim }, (_, row) => data.subarray(row * dim, (row + 1) * dim)),
  )
  if (places.length !== rows.length)
    throw new Error(`the prompt has places for ${places.length} rows of features, the tiles gave ${rows.length}`)
  for (const [i, place] of places.entries()) embeds.set(rows[i] as Float32Array, place * width)
}
