import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type ImageState, PrefixCache } from '../../../src/vlm/decoding/prefix-cache.js'
import { limits, ModelCache, steps } from '../../support/properties/cache.js'
import { holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

holds(
  'the images of a model: the bytes are bounded, and what was used longest ago goes first',
  fc.property(limits, steps, (max, steps) => {
    const cache = new PrefixCache(max)
    const model = new ModelCache<ImageState>(max)
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
