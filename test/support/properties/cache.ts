/** Caches that are bounded by bytes: what is done to one, and one that is as simple as it can be. */
import fc from 'fast-check'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
export const steps = fc.array(fc.oneof(fc.record({ set: key, bytes: fc.nat(3000) }), fc.record({ get: key })), {
  maxLength: 60,
})
/** Most bytes; 0 keeps nothing. */
export const limits = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000 }))

/** What a cache should hold, as simply as it can be said: the entries from the one that was used longest ago. */
export class ModelCache<V> {
  #entries: [key: string, value: V, size: number][] = []

  constructor(private readonly max: number) {}

  get(key: string): V | undefined {
    const entry = this.#entries.find(([other]) => other === key)
    if (!entry) return undefined
    this.#entries = [...this.#entries.filter(one => one !== entry), entry]
    return entry[1]
  }

  set(key: string, value: V, size: number): void {
    this.#entries = this.#entries.filter(([other]) => other !== key)
    if (size > this.max) return
    this.#entries.push([key, value, size])
    while (this.bytes > this.max) this.#entries.shift()
  }

  get bytes(): number {
    return this.#entries.reduce((sum, [, , size]) => sum + size, 0)
  }
}
