/** What is remembered: never more bytes than allowed, never anything but what was put in last. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CropMemory } from '../../../src/proxy/crop/memory.js'
import type { CropOutcome } from '../../../src/proxy/crop/outcome.js'
import { type ImageState, PrefixCache } from '../../../src/vlm/decoding/prefix-cache.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const steps = fc.array(fc.oneof(fc.record({ set: key, bytes: fc.nat(3000) }), fc.record({ get: key })), {
  maxLength: 60,
})
const sizes = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000 }))

/** The same, as simply as it can be said: the entries from the one that was used longest ago. */
class Model<V> {
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

holds(
  'the crops of a proxy',
  fc.property(sizes, steps, (max, steps) => {
    const memory = new CropMemory(max)
    const model = new Model<CropOutcome>(max)
    for (const step of steps) {
      if ('get' in step) assert.equal(memory.get(step.get), model.get(step.get))
      else {
        const outcome = { decision: 'zoomed', picture: { bytes: new Uint8Array(step.bytes) } } as unknown as CropOutcome
        memory.set(step.set, outcome)
        model.set(step.set, outcome, 512 + step.bytes)
      }
      expect(memory.bytes <= max, `${memory.bytes} bytes`)
      assert.equal(memory.bytes, model.bytes)
    }
  }),
  300,
)

holds(
  'the images of a model',
  fc.property(sizes, steps, (max, steps) => {
    const cache = new PrefixCache(max)
    const model = new Model<ImageState>(max)
    for (const step of steps) {
      if ('get' in step) {
        assert.equal(cache.get(step.get), model.get(step.get))
        continue
      }
      const data = new Uint8Array(step.bytes)
      const image = { features: { data }, prefix: null, processed: null } as unknown as ImageState
      cache.set(step.set, image)
      model.set(step.set, image, Math.max(1, step.bytes))
    }
  }),
  300,
)
