import type { Session, TensorValue } from '../onnx/session.js'

/** Sizes of the cache that a graph may leave open. */
export interface CacheShape {
  heads: number
  headDim: number
}

/** Keys and values of some tokens at the start of a sequence, by the graph's input: `[heads, length, headDim]` each. */
export interface CachedPrefix {
  length: number
  parts: ReadonlyMap<string, Float32Array | Uint16Array>
}

interface Part {
  /** The graph's input, `past_key_values.{layer}.{key|value}`. */
  past: string
  heads: number
  headDim: number
  /** `[rows, heads, capacity, headDim]`. */
  data: Float32Array | Uint16Array
}

const PAST = /^past_key_values\.(\d+)\.(key|value)$/

/** What a decoder graph declares of its cache: each input's name and type, and the sizes that go with it. */
export function cacheInputs(session: Session, { heads, headDim }: CacheShape) {
  return [...session.inputs].flatMap(([name, { type, shape }]) => {
    if (!PAST.test(name)) return []
    const [, declaredHeads, , declaredDim] = shape
    const fixed = (declared: number | string | undefined, configured: number) =>
      typeof declared === 'number' ? declared : configured
    return [{ past: name, type, heads: fixed(declaredHeads, heads), headDim: fixed(declaredDim, headDim) }]
  })
}

/** The keys and values of `rows` sequences of at most `capacity` tokens each. */
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

  /** The graph's inputs for the rows from `from` on, `count` of them; no copies. */
  feeds(from: number, count: number): Record<string, TensorValue> {
    return Object.fromEntries(
      this.parts.map(({ past, heads, headDim, data }) => {
        const row = heads * this.capacity * headDim
        const dims = [count, heads, this.capacity, headDim]
        return [past, { data: data.subarray(from * row, (from + count) * row), dims }]
      }),
    )
  }

  /**
   * Writes what a run added to a row behind its first `length` tokens.
   * @param update `[rows, heads of all parts, fed, headDim]`, parts in the order of the inputs.
   * @param index The row's place in `update`.
   * @param added How many of the tokens fed are real.
   */
  append(row: number, length: number, update: TensorValue, index: number, added: number): void {
    const { data, dims } = update
    const [, heads = 0, fed = 0, headDim = 0] = dims
    const fits = this.parts.every(part => part.headDim === headDim && part.data.constructor === data.constructor)
    if (!fits || heads !== this.parts.reduce((sum, part) => sum + part.heads, 0))
      throw new Error(`what the decoder graph adds to its cache, [${dims.join(', ')}], does not fit into it`)
    let from = index * heads * fed * headDim
    for (const part of this.parts)
      this.eachHead(part, row, inCache => {
        part.data.set((data as typeof part.data).subarray(from, from + added * headDim), inCache + length * headDim)
        from += fed * headDim
      })
  }

  /** A copy of the first `length` tokens of a row. */
  save(row: number, length: number): CachedPrefix {
    const parts = this.parts.map(part => {
      const copy = new (part.data.constructor as typeof Float32Array)(part.heads * length * part.headDim)
      this.eachHead(part, row, (inCache, head) => {
        const size = length * part.headDim
        copy.set(part.data.subarray(inCache, inCache + size), head * size)
      })
      return [part.past, copy] as const
    })
    return { length, parts: new Map(parts) }
  }

  /** Puts a copy that was saved at the start of a row. */
  load(row: number, { length, parts }: CachedPrefix): void {
    for (const part of this.parts) {
      const copy = parts.get(part.past)
      if (!copy) throw new Error(`the saved prefix has no ${part.past}`)
      const size = length * part.headDim
      this.eachHead(part, row, (inCache, head) => part.data.set(copy.subarray(head * size, (head + 1) * size), inCache))
    }
  }

  private eachHead({ heads, headDim }: Part, row: number, visit: (inCache: number, head: number) => void): void {
    for (let head = 0; head < heads; head++) visit((row * heads + head) * this.capacity * headDim, head)
  }
}
