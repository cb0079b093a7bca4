/** How much memory the values of a template stand for. */

/** A value of @huggingface/jinja. */
export interface Value {
  type: string
  value: unknown
}

/** An entry of a list or of an object, in letters: about 100 bytes. */
export const ENTRY = 64

export interface Weight {
  /** Letters, and entries as so many letters. What is there twice counts twice, as it does once it is written out. */
  letters: number
  /** How deep lists and objects lie in one another; 0 for others. */
  depth: number
}

const NOTHING: Weight = { letters: 0, depth: 0 }
/** What may change after it was weighed: no template has a use for it in a list. */
const ENDLESS: Weight = { letters: Number.POSITIVE_INFINITY, depth: 1 }

/** Weighs values. Lists and objects never change, so each is weighed once. */
export class Scales {
  readonly #known = new WeakMap<object, Weight>()

  weigh(value: Value): Weight {
    if (value.type === 'StringValue') return { letters: (value.value as string).length, depth: 0 }
    if (value.type === 'NamespaceValue') return this.#sum(entriesOf(value))
    if (value.type !== 'ArrayValue' && value.type !== 'ObjectValue') return NOTHING
    const known = this.#known.get(value)
    if (known) return known
    const weight = this.#sum(entriesOf(value))
    this.#known.set(value, weight)
    return weight
  }

  #sum(entries: Iterable<readonly [name: string, value: Value]>): Weight {
    let [letters, depth] = [0, 0]
    for (const [name, value] of entries) {
      const inner = value.type === 'NamespaceValue' ? ENDLESS : this.weigh(value)
      letters += ENTRY + name.length + inner.letters
      depth = Math.max(depth, inner.depth)
    }
    return { letters, depth: depth + 1 }
  }
}

function* entriesOf({ value }: Value): Iterable<readonly [name: string, value: Value]> {
  if (Array.isArray(value)) for (const entry of value) yield ['', entry]
  else if (value instanceof Map) yield* value as Map<string, Value>
}
