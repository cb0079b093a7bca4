import { floats, type Session, type TensorValue } from '../onnx/session.js'
import { type CachedPrefix, type CacheShape, cacheInputs, KvCache } from './kv-cache.js'

/** The text decoder over one growing sequence, or several. Each implementation keeps its own KV cache. */
export interface Sequence {
  /**
   * Feeds `embeds`, `[length, dim]`, behind all that was fed before. Gives the logits (over the vocabulary) behind
   * each of the last `wanted` of them, in order.
   */
  feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]>
}

const UPDATE = 'cache_update'

/** Whether a graph is one of this project's own fused ones: they alone declare `logit_indices`. */
export function isFused(session: Session): boolean {
  return session.inputs.has('logit_indices')
}

/**
 * Sequences side by side in one cache, for the project's own graphs: a run gives the keys and values of its own tokens,
 * not the past again, which would be copied once more on its way out of the graph. Several tokens behind a past are
 * taken for one row at a time only; one token each for all rows at once.
 */
export class FusedRows {
  private readonly cache: KvCache
  /** Tokens of each row. */
  private readonly lengths: number[]

  constructor(
    private readonly session: Session,
    rows: number,
    capacity: number,
    shape: CacheShape,
  ) {
    this.cache = new KvCache(session, shape, rows, capacity)
    this.lengths = new Array<number>(rows).fill(0)
  }

  /** One row as a sequence of its own. */
  row(row: number): Sequence & { rewind(count: number): void } {
    return {
      feed: async (embeds, length, wanted) => {
        const [logits] = await this.run([row], embeds, [length], length, wanted)
        return logits as Float32Array[]
      },
      rewind: count => {
        this.lengths[row] = this.length(row) - count
      },
    }
  }

  /**
   * Feeds the first tokens of the rows from 0 on, one `[length, dim]` each. Gives the logits behind the last `wanted`
   * tokens of each row.
   */
  async prefill(
    prompts: readonly { embeds: Float32Array; length: number }[],
    wanted: number,
  ): Promise<Float32Array[][]> {
    const lengths = prompts.map(({ length }) => length)
    const longest = Math.max(...lengths)
    const dim = (prompts[0] as { embeds: Float32Array }).embeds.length / (lengths[0] as number)
    // shorter prompts end in padding, which the mask leaves out
    const embeds = new Float32Array(prompts.length * longest * dim)
    prompts.forEach((prompt, row) => {
      embeds.set(prompt.embeds, row * longest * dim)
    })
    return await this.run([...lengths.keys()], embeds, lengths, longest, wanted)
  }

  /**
   * One more token for every row, `[rows, dim]`, and the logits behind it. Where `real` is false the token is a filler
   * that leaves no trace: the next one takes its place.
   */
  async step(embeds: Float32Array, real: readonly boolean[]): Promise<Float32Array[]> {
    const before = [...this.lengths]
    const ones = before.map(() => 1)
    const logits = await this.run([...before.keys()], embeds, ones, 1, 1)
    real.forEach((isReal, row) => {
      if (!isReal) this.lengths[row] = before[row] as number
    })
    return logits.map(([row]) => row as Float32Array)
  }

  save(row: number, length: number): CachedPrefix {
    return this.cache.save(row, length)
  }

  /** Starts a row with what was saved of another. */
  load(row: number, prefix: CachedPrefix): void {
    this.cache.load(row, prefix)
    this.lengths[row] = prefix.length
  }

  private length(row: number): number {
    return this.lengths[row] as number
  }

  /** `rows` are neighbours; `embeds` is `[rows, width, dim]`, of which `added` tokens are real in each. */
  private async run(
    rows: readonly number[],
    embeds: Float32Array,
    added: readonly number[],
    width: number,
    wanted: number,
  ): Promise<Float32Array[][]> {
    const totals = rows.map((row, i) => this.length(row) + (added[i] as number))
    const longest = Math.max(...totals)
    const { capacity } = this.cache
    if (longest > capacity) throw new Error(`the KV cache holds ${capacity} tokens, ${longest} were fed`)
    const { logits, [UPDATE]: update } = await this.session.run(
      {
        inputs_embeds: { data: embeds, dims: [rows.length, width, embeds.length / width / rows.length] },
        attention_mask: mask(totals, longest),
        logit_indices: lastIndices(added, wanted),
        ...this.cache.feeds(rows[0] as number, rows.length),
      },
      ['logits', UPDATE],
    )
    rows.forEach((row, i) => {
      this.cache.append(row, this.length(row), update as TensorValue, i, added[i] as number)
      this.lengths[row] = totals[i] as number
    })
    return split(logits, rows.length, wanted)
  }
}

/** Graphs in the hub's layout. The cache is concatenated inside: each run's `present` is the next one's `past`. */
export class HubSequence implements Sequence {
  private past: Record<string, TensorValue> = {}
  private readonly presents: readonly { past: string; present: string }[]
  private length = 0

  constructor(
    private readonly session: Session,
    shape: CacheShape,
  ) {
    const inputs = cacheInputs(session, shape)
    this.presents = inputs.map(({ past }) => ({ past, present: past.replace('past_key_values', 'present') }))
    for (const { past, type, heads, headDim } of inputs)
      this.past[past] = {
        data: type === 'float16' ? new Uint16Array(0) : new Float32Array(0),
        dims: [1, heads, 0, headDim],
      }
  }

  async feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    if (this.length === 0) return this.run(embeds, length, wanted)
    // Not every hub graph masks several tokens behind a past rightly; one at a time they all do.
    const dim = embeds.length / length
    const all: Float32Array[] = []
    for (let i = 0; i < length; i++) all.push(...(await this.run(embeds.subarray(i * dim, (i + 1) * dim), 1, 1)))
    return all.slice(-wanted)
  }

  private async run(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    const total = this.length + length
    const positions = BigInt64Array.from({ length }, (_, i) => BigInt(this.length + i))
    const outputs = await this.session.run({
      inputs_embeds: { data: embeds, dims: [1, length, embeds.length / length] },
      attention_mask: mask([total], total),
      position_ids: { data: positions, dims: [1, length] },
      // Newer exports can be spared the logits of the whole prompt.
      num_logits_to_keep: { data: BigInt64Array.of(BigInt(wanted)), dims: [] },
      ...this.past,
    })
    for (const { past, present } of this.presents) {
      const value = outputs[present]
      if (!value) throw new Error(`the decoder graph gave no ${present}`)
      this.past[past] = value
    }
    this.length = total
    const [rows] = split(outputs.logits, 1, wanted)
    return rows as Float32Array[]
  }
}

/** `[rows, width]`: ones for each row's real tokens, zeros behind them. */
function mask(totals: readonly number[], width: number): TensorValue {
  const data = new BigInt64Array(totals.length * width)
  totals.forEach((total, row) => {
    data.fill(1n, row * width, row * width + total)
  })
  return { data, dims: [totals.length, width] }
}

/** `[rows, wanted]`: the places of the last tokens that each row adds. */
function lastIndices(added: readonly number[], wanted: number): TensorValue {
  const places = added.flatMap(length => Array.from({ length: wanted }, (_, i) => BigInt(length - wanted + i)))
  return { data: BigInt64Array.from(places), dims: [added.length, wanted] }
}

/** The last `wanted` logits of each row of `[rows, kept, vocabulary]`. */
function split(logits: TensorValue | undefined, rows: number, wanted: number): Float32Array[][] {
  const [, kept = 0, vocabulary = 0] = logits?.dims ?? []
  if (!logits || kept < wanted) throw new Error('the decoder graph gave too few logits')
  const all = floats(logits)
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: wanted }, (_, i) => {
      const at = (row * kept + kept - wanted + i) * vocabulary
      return all.subarray(at, at + vocabulary)
    }),
  )
}
