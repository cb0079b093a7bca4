import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { CropMemory } from '../../../src/proxy/crop/memory.js'
import type { CropOutcome } from '../../../src/proxy/crop/outcome.js'
import { limits, ModelCache, steps } from '../../support/properties/cache.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

holds(
  'the crops of a proxy: the bytes are bounded, and what was used longest ago goes first',
  fc.property(limits, steps, (max, steps) => {
    const memory = new CropMemory(max)
    const model = new ModelCache<CropOutcome>(max)
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
