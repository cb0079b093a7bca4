import type { Session, TensorValue } from '../onnx/session.js'
import { attentionMask, lastLogits, type RewindableDecoder } from './decoder.js'
import { type CachedPrefix, type CacheShape, KvCache } from './kv-cache.js'

/** The graph's output with the keys and values of the run's own tokens, of all layers. */
const UPDATE = 'cache_update'

/** The output of a graph exported with `--attention`: how the run's last token attends to each, `[rows, layers, tokens]`. */
const ATTENTION = 'attention'

/** Whether a decoder graph is a fused one, as `cropvlm-train export` writes it: no other declares `logit_indices`. */
export function isFused(session: Session): boolean {
  return session.inputs.has('logit_indices')
}

/**
 * Several sequences, decoded by a fused graph. Each sequence is one row of the batch and of the KV cache, which lies
 * outside of the graph: a run returns only the keys and values of its own tokens, and they are written into the cache
 * after it. (In the hub's layout each run returns the whole cache again, and onnxruntime-node copies every output.)
 *
 * The graph can be fed one row alone, with any number of tokens (`row`), or all rows together: with their first tokens
 * (`prefill`), or with one token each (`step`). It cannot be fed several rows with several tokens each once there are
 * tokens in the cache: ONNX Runtime's GroupQueryAttention takes that for a batch of one row only.
 */
export class FusedDecoder {
  private readonly cache: KvCache
  /** Tokens in the cache, for each row. Whatever the cache holds after them is not read. */
  private readonly lengths: number[]
  private lastAttention: TensorValue | null = null

  /**
   * @param rows How many sequences.
   * @param capacity Most tokens of one row.
   * @param wantsAttention Whether `attention` will be asked for; the graph has to give it.
   */
  constructor(
    private readonly session: Session,
    rows: number,
    capacity: number,
    shape: CacheShape,
    private readonly wantsAttention = false,
  ) {
    this.cache = new KvCache(session, shape, rows, capacity)
    this.lengths = new Array<number>(rows).fill(0)
  }

  /** One row as a sequence of its own. It shares this decoder's cache. */
  row(row: number): RewindableDecoder {
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
   * Feeds the first tokens of the rows 0, 1, ..., which have to be empty, in one run.
   * @param prompts One a row: `embeds` is `[length, dim]`; lengths may differ.
   * @returns for each row the logits after each of its last `wanted` tokens
   */
  async prefill(
    prompts: readonly { embeds: Float32Array; length: number }[],
    wanted: number,
  ): Promise<Float32Array[][]> {
    const lengths = prompts.map(({ length }) => length)
    const longest = Math.max(...lengths)
    const dim = (prompts[0] as { embeds: Float32Array }).embeds.length / (lengths[0] as number)
    // shorter prompts are padded at their end; the attention mask leaves the padding out
    const embeds = new Float32Array(prompts.length * longest * dim)
    prompts.forEach((prompt, row) => {
      embeds.set(prompt.embeds, row * longest * dim)
    })
    return await this.run([...lengths.keys()], embeds, lengths, longest, wanted)
  }

  /**
   * Feeds one token to every row in one run.
   * @param embeds `[rows, dim]`.
   * @param isReal For each row whether its token is one of the sequence. If not, it is a filler, fed because every row
   * of a run needs some token; it is not counted, and the row's next token overwrites it.
   * @returns for each row the logits after its token
   */
  async step(embeds: Float32Array, isReal: readonly boolean[]): Promise<Float32Array[]> {
    const before = [...this.lengths]
    const ones = before.map(() => 1)
    const logits = await this.run([...before.keys()], embeds, ones, 1, 1)
    isReal.forEach((real, row) => {
      if (!real) this.lengths[row] = before[row] as number
    })
    return logits.map(([row]) => row as Float32Array)
  }

  /** How the last token of the last run attends to each token up to itself, `[rows of the run, layers, tokens]`. */
  get attention(): TensorValue {
    if (!this.lastAttention) throw new Error('there was no run, or none that gave its attention')
    return this.lastAttention
  }

  /** A copy of the keys and values of a row's first `length` tokens. */
  save(row: number, length: number): CachedPrefix {
    return this.cache.save(row, length)
  }

  /** Makes a saved prefix the tokens of a row. */
  load(row: number, prefix: CachedPrefix): void {
    this.cache.load(row, prefix)
    this.lengths[row] = prefix.length
  }

  private length(row: number): number {
    return this.lengths[row] as number
  }

  /**
   * One run of the graph.
   * @param rows The rows that take part; their numbers have to be consecutive.
   * @param embeds `[rows.length, width, dim]`.
   * @param added For each of `rows` how many of its `width` tokens are real; padding follows them.
   * @param wanted How many rows of logits are returned for each of `rows`: those after its last real tokens.
   */
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
    const {
      logits,
      [UPDATE]: update,
      [ATTENTION]: attention,
    } = await this.session.run(
      {
        inputs_embeds: { data: embeds, dims: [rows.length, width, embeds.length / width / rows.length] },
        attention_mask: attentionMask(totals, longest),
        logit_indices: lastIndices(added, wanted),
        ...this.cache.inputs(rows[0] as number, rows.length),
      },
      ['logits', UPDATE, ...(this.wantsAttention ? [ATTENTION] : [])],
    )
    this.lastAttention = attention ?? null
    rows.forEach((row, i) => {
      this.cache.append(row, this.length(row), update as TensorValue, i, added[i] as number)
      this.lengths[row] = totals[i] as number
    })
    return lastLogits(logits, rows.length, wanted)
  }
}

/** The graph's input `logit_indices`, `[rows, wanted]`: for each row the indices of its last `wanted` new tokens. */
function lastIndices(added: readonly number[], wanted: number): TensorValue {
  const indices = added.flatMap(length => Array.from({ length: wanted }, (_, i) => BigInt(length - wanted + i)))
  return { data: BigInt64Array.from(indices), dims: [added.length, wanted] }
}
