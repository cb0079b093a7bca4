import { floats, type Session, type TensorValue } from './session.js'

/** The text decoder over one growing sequence. Each implementation keeps its own KV cache. */
export interface DecoderRun {
  /**
   * Feeds `embeds`, `[length, dim]`, behind all that was fed before. Gives the logits (over the vocabulary) behind
   * each of the last `wanted` of them, in order.
   */
  feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]>
}

/** Sizes of the cache that a graph may leave open. */
export interface CacheShape {
  heads: number
  headDim: number
}

const PAST = /^past_key_values\.(\d+)\.(key|value)$/

/**
 * Starts a sequence of at most `capacity` tokens. Graphs with a `logit_indices` input are this project's own fused
 * ones, whose cache is written in place; all others are fed as the hub's.
 */
export function startDecoder(session: Session, capacity: number, shape: CacheShape): DecoderRun {
  return session.inputs.has('logit_indices') ? new FusedRun(session, capacity, shape) : new HubRun(session, shape)
}

/** GroupQueryAttention appends to the very buffers it is fed, so no step copies the past. */
class FusedRun implements DecoderRun {
  private readonly past: Record<string, TensorValue> = {}
  private readonly present: Record<string, TensorValue> = {}
  private length = 0

  constructor(
    private readonly session: Session,
    private readonly capacity: number,
    shape: CacheShape,
  ) {
    for (const { name, type, dims } of cacheInputs(session, shape, capacity)) {
      const size = dims.reduce((a, b) => a * b)
      const buffer = { data: type === 'float16' ? new Uint16Array(size) : new Float32Array(size), dims }
      this.past[name] = buffer
      this.present[presentName(name)] = buffer
    }
  }

  async feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    const total = this.length + length
    if (total > this.capacity) throw new Error(`the KV cache holds ${this.capacity} tokens, ${total} were fed`)
    const indices = BigInt64Array.from({ length: wanted }, (_, i) => BigInt(length - wanted + i))
    const { logits } = await this.session.run(
      {
        inputs_embeds: { data: embeds, dims: [1, length, embeds.length / length] },
        attention_mask: ones(total),
        logit_indices: { data: indices, dims: [1, wanted] },
        ...this.past,
      },
      this.present,
    )
    this.length = total
    return rows(logits, wanted)
  }
}

/** The cache is concatenated inside the graph: each run's `present` is the next one's `past`. */
class HubRun implements DecoderRun {
  private past: Record<string, TensorValue> = {}
  private length = 0

  constructor(
    private readonly session: Session,
    shape: CacheShape,
  ) {
    for (const { name, type, dims } of cacheInputs(session, shape, 0))
      this.past[name] = { data: type === 'float16' ? new Uint16Array(0) : new Float32Array(0), dims }
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
      attention_mask: ones(total),
      position_ids: { data: positions, dims: [1, length] },
      // Newer exports can be spared the logits of the whole prompt.
      num_logits_to_keep: { data: BigInt64Array.of(BigInt(wanted)), dims: [] },
      ...this.past,
    })
    for (const name of Object.keys(this.past)) {
      const present = outputs[presentName(name)]
      if (!present) throw new Error(`the decoder graph gave no ${presentName(name)}`)
      this.past[name] = present
    }
    this.length = total
    return rows(outputs.logits, wanted)
  }
}

function cacheInputs(session: Session, { heads, headDim }: CacheShape, capacity: number) {
  return [...session.inputs].flatMap(([name, { type, shape }]) => {
    if (!PAST.test(name)) return []
    const [, declaredHeads, , declaredDim] = shape
    const fixed = (declared: number | string | undefined, configured: number) =>
      typeof declared === 'number' ? declared : configured
    return [{ name, type, dims: [1, fixed(declaredHeads, heads), capacity, fixed(declaredDim, headDim)] }]
  })
}

function presentName(past: string): string {
  return past.replace('past_key_values', 'present')
}

function ones(length: number): TensorValue {
  return { data: new BigInt64Array(length).fill(1n), dims: [1, length] }
}

/** The last `wanted` rows of `[1, rows, vocabulary]`. */
function rows(logits: TensorValue | undefined, wanted: number): Float32Array[] {
  const [, count = 0, vocabulary = 0] = logits?.dims ?? []
  if (!logits || count < wanted) throw new Error('the decoder graph gave too few logits')
  const all = floats(logits)
  return Array.from({ length: wanted }, (_, i) => {
    const row = count - wanted + i
    return all.subarray(row * vocabulary, (row + 1) * vocabulary)
  })
}
