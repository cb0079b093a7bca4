import t from 'tap'
import { fitSize, type Wanted } from '../../src/image/fit.js'

const QWEN = { minSide: 28, maxAspect: 200 }

/** Of a picture of this size: the size it is brought to, then what it is padded to. */
function fit(width: number, height: number, wanted: Partial<Wanted> = {}) {
  const { size, padding } = fitSize({ width, height }, { longestEdge: 512, ...wanted })
  const { left, top, right, bottom } = padding
  return [size.width, size.height, size.width + left + right, size.height + top + bottom]
}

/** Where nothing is padded. */
const same = (width: number, height: number) => [width, height, width, height]

t.test('the longest edge: shrunk to it, and enlarged only where that is wanted', async t => {
  t.same(fit(1000, 500), same(512, 256))
  t.same(fit(100, 50), same(100, 50))
  t.same(fit(100, 50, { enlarge: 8 }), same(512, 256))
  t.same(fit(100, 50, { enlarge: 2 }), same(200, 100), 'at most so many times')
  t.same(fit(1000, 500, { enlarge: 8 }), same(512, 256))
  t.same(fit(100, 50, { enlarge: 8, longestEdge: null }), same(100, 50), 'as it was cut')
  t.same(fit(1000, 1), same(512, 1))
})

t.test('what is enlarged has no more pixels than a VLM can take', async t => {
  const [width = 0, height = 0] = fit(2000, 2000, { enlarge: 8, longestEdge: 16_384 })
  t.same([width, height], [3584, 3584])
  t.same(fit(5000, 5000, { enlarge: 8, longestEdge: 16_384 }), same(5000, 5000), 'and is never shrunk for it')
})

t.test('no side under the least: the whole is enlarged, past the longest edge if it must be', async t => {
  const limits = QWEN
  t.same(fit(10, 9, { limits }), same(31, 28))
  t.same(fit(60, 60, { limits }), same(60, 60))
  t.same(fit(2000, 100, { limits }), same(560, 28), 'a strip that its longest edge alone would squash')
  t.same(fit(100, 2000, { limits }), same(28, 560))
  t.same(fit(280, 10, { limits, longestEdge: null }), same(784, 28))
  t.same(fit(3, 2, { limits, enlarge: 8 }), same(42, 28), 'past the factor')
  t.same(fit(1, 1, { limits }), same(28, 28))
  t.same(fit(1000, 500, { limits: { minSide: 32, maxAspect: 200 } }), same(512, 256))
})

t.test('where it is too narrow even so, it is padded and keeps its shape', async t => {
  t.same(fit(2000, 1, { limits: QWEN }), [5600, 3, 5600, 28])
  t.same(fit(1, 2000, { limits: QWEN }), [3, 5600, 28, 5600])
  t.same(fit(1001, 5, { limits: QWEN }), [4671, 23, 4671, 28])
})

t.test('whatever the picture, both sides and the aspect are within the limits', async t => {
  for (const minSide of [28, 32])
    for (let width = 1; width < 20_000; width = Math.ceil(width * 1.37))
      for (let height = 1; height < 20_000; height = Math.ceil(height * 1.53))
        for (const longestEdge of [16, 336, 1024, null])
          for (const enlarge of [1, 8]) {
            const [, , w = 0, h = 0] = fit(width, height, { longestEdge, enlarge, limits: { minSide, maxAspect: 200 } })
            if (Math.min(w, h) < minSide || Math.max(w, h) / Math.min(w, h) > 200)
              t.fail(`${width}x${height}, ${longestEdge}, ${enlarge}: ${w}x${h}`)
          }
})
