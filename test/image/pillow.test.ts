import t from 'tap'
import { multiplyAdds, resample } from '../../src/image/pillow.js'
import { tileGrid } from '../../src/vlm/idefics3/grid.js'
import { goldenCases, goldenImage, type PixelsCase } from '../support/goldens.js'
import { isSame } from '../support/images/difference.js'
import { pattern } from '../support/images/patterns.js'

// Pictures of 24 megapixels, on machines that may be busy.
t.setTimeout(300_000)

t.test('every pixel is what transformers (Pillow) makes of it, shrinking and enlarging', async t => {
  for (const { width, height, longest_edge, tile, expected, ...golds } of goldenCases<PixelsCase>('pixels.json')) {
    const { scaled, whole } = tileGrid({ width, height }, longest_edge, tile)
    const actual = resample(resample(pattern(golds.pattern, width, height), scaled), whole)
    t.ok(isSame(actual, await goldenImage(expected)), expected)
    if (golds.global) {
      const view = resample(actual, { width: tile, height: tile })
      t.ok(isSame(view, await goldenImage(golds.global)), golds.global)
    }
  }
})

t.test('the cost of a resize', async t => {
  const page = { width: 517, height: 647 }
  t.equal(multiplyAdds(page, page), 0)
  t.equal(
    Math.round(multiplyAdds(page, { width: 76, height: 96 })),
    Math.round(3 * 76 * ((517 / 76) * 6 * 647 + 6 * 647)),
  )
  t.equal(multiplyAdds({ width: 10, height: 10 }, { width: 20, height: 10 }), 3 * 20 * 6 * 10)
})

t.test('flat pictures stay flat, whatever the size', async t => {
  const image = { width: 7, height: 5, data: new Uint8Array(7 * 5 * 3).fill(200) }
  for (const size of [
    { width: 1, height: 1 },
    { width: 3, height: 50 },
    { width: 100, height: 2 },
  ]) {
    const { data, ...rest } = resample(image, size)
    t.same(rest, size)
    t.ok(data.length === size.width * size.height * 3 && data.every(byte => byte === 200))
  }
})

t.test('a length that does not change is not filtered', async t => {
  const image = { width: 2, height: 2, data: Uint8Array.of(0, 1, 2, 255, 254, 253, 9, 8, 7, 100, 101, 102) }
  t.equal(resample(image, { width: 2, height: 2 }), image)
  const taller = resample(image, { width: 2, height: 4 })
  t.same([...taller.data.subarray(0, 3)], [0, 0, 1], 'columns do not mix: the edge overshoots and is clipped')
})

t.test('sharp edges overshoot and are clipped to a byte', async t => {
  const data = Uint8Array.from({ length: 8 * 3 }, (_, i) => (i < 12 ? 0 : 255))
  const wide = resample({ width: 8, height: 1, data }, { width: 64, height: 1 }).data
  t.equal(Math.min(...wide), 0)
  t.equal(Math.max(...wide), 255)
  t.same([...wide.subarray(31 * 3, 31 * 3 + 3)], [wide[31 * 3], wide[31 * 3], wide[31 * 3]], 'channels stay equal')
})
