import { LRUCache } from 'lru-cache'
import type { Features } from '../family.js'
import { floats, type Session } from '../onnx/session.js'

/** How many tokens' embeddings are kept: a box is written with sixteen different tokens, a free answer with more. */
const KEPT = 256

/** Looks up the embeddings of tokens, the decoder's input. */
export class TokenEmbeddings {
  private readonly kept = new LRUCache<number, Float32Array>({ max: KEPT })

  constructor(private readonly session: Session) {}

  /** The embeddings of the tokens of a prompt, `[ids.length, dim]`. */
  async of(ids: readonly number[]): Promise<Float32Array> {
    const { inputs_embeds: embeds } = await this.session.run({
      input_ids: { data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
    })
    if (!embeds) throw new Error('the embedding graph gave no inputs_embeds')
    return floats(embeds)
  }

  /** The same for a step of decoding. Most of its tokens were used by earlier steps, and need no run of the graph. */
  async ofStep(ids: readonly number[]): Promise<Float32Array> {
    const known = ids.flatMap(id => this.kept.get(id) ?? [])
    if (known.length === ids.length) return joined(known)
    const rows = await this.of(ids)
    const dim = rows.length / ids.length
    for (const [i, id] of ids.entries()) this.kept.set(id, rows.slice(i * dim, (i + 1) * dim))
    return rows
  }
}

/** How many of the prompt's tokens an image's features take the places of. */
export function featureRows({ data, dim }: Features): number {
  return data.length / dim
}

/** Overwrites the embedding of each image token with one row of the images' features, in order. */
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
  const rows = images.flatMap(features =>
    Array.from({ length: featureRows(features) }, (_, row) =>
      features.data.subarray(row * features.dim, (row + 1) * features.dim),
    ),
  )
  if (places.length !== rows.length)
    throw new Error(`the prompt has places for ${places.length} rows of features, the tiles gave ${rows.length}`)
  for (const [i, place] of places.entries()) embeds.set(rows[i] as Float32Array, place * width)
}

/** Rows of one length, one after the other. */
function joined(rows: readonly Float32Array[]): Float32Array {
  const dim = rows[0]?.length ?? 0
  const all = new Float32Array(rows.length * dim)
  for (const [i, row] of rows.entries()) all.set(row, i * dim)
  return all
}
