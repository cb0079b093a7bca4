/**
 * The KV cache. In each layer of the decoder, attention reads a key and a value of every earlier token. These depend on
 * that token and those before it only, so they are kept, and a run computes keys and values for its new tokens alone.
 */
import type { Session, TensorValue } from '../onnx/session.js'

/** Sizes from `config.json`, for a graph whose inputs do not declare them. */
export interface CacheShape {
  /** Key and value heads of a layer. */
  heads: number
  /** Numbers in the key, or value, of one head. */
  headDim: number
}

/**
 * A copy of the keys and values of a sequence's first `length` tokens: `[heads, length, headDim]` for each part, by the
 * name of the graph's input. Halves are kept as 16-bit words.
 */
export interface CachedPrefix {
  length: number
  parts: ReadonlyMap<string, Float32Array | Uint16Array>
}

/** The keys, or the values, of one layer. */
interface Part {
  /** The graph's input, `past_key_values.{layer}.{key|value}`. */
  past: string
  heads: number
  headDim: number
  /** `[rows, heads, capacity, headDim]`. */
  data: Float32Array | Uint16Array
}

const PAST = /^past_key_values\.(\d+)\.(key|value)$/

/**
 * The inputs of a decoder graph that take the KV cache: names, element types and sizes. A size that the graph leaves
 * open is taken from `shape`.
 */
export function cacheInputs(session: Session, { heads, headDim }: CacheShape) {
  return [...session.inputs].flatMap(([name, { type, shape }]) => {
    if (!PAST.test(name)) return []
    const [, declaredHeads, , declaredDim] = shape
    const fixed = (declared: number | string | undefined, configured: number) =>
      typeof declared === 'number' ? declared : configured
    return [{ past: name, type, heads: fixed(declaredHeads, heads), headDim: fixed(declaredDim, headDim) }]
  })
}

/**
 * The keys and values of `rows` sequences, with room for `capacity` tokens in each. It does not know how many there
 * are.
 */
export class KvCache {
  private readonly parts: readonly Part[]

  constructor(
    session: Session,
    shape: CacheShape,
    readonly rows: number,
    readonly capacity: number,
  ) {
    this.parts = cacheInputs(session, shape).map(({ type, ...part }) => {
      const size = rows * part.heads * capacity * part.headDim
      return { ...part, data: type === 'float16' ? new Uint16Array(size) : new Float32Array(size) }
    })
  }

  /** The graph's inputs for `count` rows from row `from` on: views of the cache, not copies. */
  inputs(from: number, count: number): Record<string, TensorValue> {
    return Object.fromEntries(
      this.parts.map(({ past, heads, headDim, data }) => {
        const row = heads * this.capacity * headDim
        const dims = [count, heads, this.capacity, headDim]
        return [past, { data: data.subarray(from * row, (from + count) * row), dims }]
      }),
    )
  }

  /**
   * Writes the keys and values of a run's new tokens into a row, after its first `length` tokens.
   * @param update The graph's output, `[rows, heads of all parts, width, headDim]`, parts in the order of the inputs.
   * @param index The row's index in `update`.
   * @param added How many of the `width` tokens are real; padding follows them.
   */
  append(row: number, length: number, update: TensorValue, index: number, added: number): void {
    const { data, dims } = update
    const [, heads = 0, width = 0, headDim = 0] = dims
    const fits = this.parts.every(part => part.headDim === headDim && part.data.constructor === data.constructor)
    if (!fits || heads !== this.parts.reduce((sum, part) => sum + part.heads, 0))
      throw new Error(`what the decoder graph adds to its cache, [${dims.join(', ')}], does not fit into it`)
    let from = index * heads * width * headDim
    for (const part of this.parts)
      this.eachHead(part, row, start => {
        part.data.set((data as typeof part.data).subarray(from, from + added * headDim), start + length * headDim)
        from += width * headDim
      })
  }

  /** A copy of the keys and values of a row's first `length` tokens. */
  save(row: number, length: number): CachedPrefix {
    const parts = this.parts.map(part => {
      const copy = new (part.data.constructor as typeof Float32Array)(part.heads * length * part.headDim)
      this.eachHead(part, row, (start, head) => {
        const size = length * part.headDim
        copy.set(part.data.subarray(start, start + size), head * size)
      })
      return [part.past, copy] as const
    })
    return { length, parts: new Map(parts) }
  }

  /** Writes a saved copy to the start of a row. */
  load(row: number, { length, parts }: CachedPrefix): void {
    for (const part of this.parts) {
      const copy = parts.get(part.past)
      if (!copy) throw new Error(`the saved prefix has no ${part.past}`)
      const size = length * part.headDim
      this.eachHead(part, row, (start, head) => part.data.set(copy.subarray(head * size, (head + 1) * size), start))
    }
  }

  /** Calls `visit` for each head of a row, with the index in the part's data at which the head's first token starts. */
  private eachHead({ heads, headDim }: Part, row: number, visit: (start: number, head: number) => void): void {
    for (let head = 0; head < heads; head++) visit((row * heads + head) * this.capacity * headDim, head)
  }
}
