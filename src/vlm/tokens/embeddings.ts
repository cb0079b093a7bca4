import { LRUCache } from 'lru-cache'
import type { Features } from '../idefics3/vision-encoder.js'
import { floats, type Session } from '../onnx/session.js'

/** A box has sixteen different tokens; a free answer may come to more, and forgets those it has not used for longest. */
const KEPT = 256

/** The decoder's input for token ids. */
export class TokenEmbeddings {
  private readonly kept = new LRUCache<number, Float32Array>({ max: KEPT })

  constructor(private readonly session: Session) {}

  /** Of a prompt's, `[ids, dim]`. */
  async of(ids: readonly number[]): Promise<Float32Array> {
    const { inputs_embeds: embeds } = await this.session.run({
      input_ids: { data: BigInt64Array.from(ids, BigInt), dims: [1, ids.length] },
    })
    if (!embeds) throw new Error('the embedding graph gave no inputs_embeds')
    return floats(embeds)
  }

  /** The same of a step of decoding: mostly tokens that steps before had, which need no run of the graph. */
  async ofStep(ids: readonly number[]): Promise<Float32Array> {
    const known = ids.flatMap(id => this.kept.get(id) ?? [])
    if (known.length === ids.length) return joined(known)
    const rows = await this.of(ids)
    const dim = rows.length / ids.length
    for (const [i, id] of ids.entries()) this.kept.set(id, rows.slice(i * dim, (i + 1) * dim))
    return rows
  }

  async close(): Promise<void> {
    await this.session.close()
  }
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

function joined(rows: readonly Float32Array[]): Float32Array {
  const dim = rows[0]?.length ?? 0
  const all = new Float32Array(rows.length * dim)
  for (const [i, row] of rows.entries()) all.set(row, i * dim)
  return all
}
