/** The sizes that pictures are brought to, and what is let in. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { toPixels } from '../../src/contract/box.js'
import { fitSize } from '../../src/image/fit.js'
import { gridSize } from '../../src/image/grid.js'
import { checkSize } from '../../src/image/limits.js'
import { regionPicture, wholePicture } from '../../src/image/pictures.js'
import { boxes, sizes } from '../support/properties/boxes.js'
import { expect, holds } from '../support/properties/runs.js'
import { seeded } from '../support/scripted.js'

t.setTimeout(3_600_000)

const edges = fc.option(fc.integer({ min: 1, max: 8192 }))
const limits = fc.record({ minSide: fc.integer({ min: 1, max: 64 }), maxAspect: fc.integer({ min: 1, max: 200 }) })

holds(
  'a fitted picture has whole sides, keeps to its edge, and with its padding to the limits',
  fc.property(
    sizes,
    edges,
    fc.integer({ min: 1, max: 16 }),
    fc.option(limits),
    (size, longestEdge, enlarge, limits) => {
      const wanted = { longestEdge, enlarge, ...(limits ? { limits } : {}) }
      const { size: fitted, padding } = fitSize(size, wanted)
      const sides = [fitted.width, fitted.height, ...Object.values(padding)]
      expect(sides.every(Number.isInteger) && Math.min(fitted.width, fitted.height) >= 1, `${sides}`)
      expect(
        Object.values(padding).every(pixels => pixels >= 0),
        `${sides}`,
      )
      const long = Math.max(fitted.width, fitted.height)
      if (!limits) {
        expect(long <= Math.max(1, longestEdge ?? Math.max(size.width, size.height)), `${long} is too long`)
        return expect(
          sides.slice(2).every(pixels => pixels === 0),
          'padded without need',
        )
      }
      const [width, height] = [
        fitted.width + padding.left + padding.right,
        fitted.height + padding.top + padding.bottom,
      ]
      expect(Math.min(width, height) >= limits.minSide, `${width}x${height} is too short`)
      expect(Math.max(width, height) <= limits.maxAspect * Math.min(width, height), `${width}x${height} is too narrow`)
    },
  ),
  1000,
)

const grids = fc.constantFrom(
  { multipleOf: 28, minPixels: 4 * 28 * 28, maxPixels: 16_384 * 28 * 28 },
  { multipleOf: 32, minPixels: 64 * 32 * 32, maxPixels: 16_384 * 32 * 32 },
)

holds(
  'a size on the grid is one that stays as it is',
  fc.property(sizes, edges, grids, (size, edge, grid) => {
    const found = gridSize(size, grid, edge)
    const { width, height } = found
    const step = grid.multipleOf
    expect(width % step === 0 && height % step === 0 && Math.min(width, height) >= step, `${width}x${height}`)
    expect(width * height >= grid.minPixels, `${width}x${height} has too few pixels`)
    assert.deepEqual(gridSize(found, grid, null), found)
  }),
  1000,
)

holds(
  'what is let in has no more pixels and is no longer than the limits allow, and nothing else is refused',
  fc.property(sizes, fc.integer({ min: 1, max: 2e8 }), fc.integer({ min: 1, max: 1000 }), (size, pixels, aspect) => {
    const [long, short] = [Math.max(size.width, size.height), Math.min(size.width, size.height)]
    const expected =
      long * short > pixels ? 'image_too_large' : long > aspect * short ? 'image_aspect_too_extreme' : null
    let code: unknown = null
    try {
      checkSize(size, { maxPixels: pixels, maxAspect: aspect })
    } catch (error) {
      code = (error as { code: unknown }).code
    }
    assert.equal(code, expected)
  }),
  500,
)

const smallSide = fc.integer({ min: 1, max: 90 })
const AS_IS = { format: 'png', quality: 100, longestEdge: null } as const

holds(
  'a crop is the pixels that its box says, no more and no fewer',
  fc.asyncProperty(smallSide, smallSide, boxes, fc.nat(), async (width, height, box, seed) => {
    const random = seeded(seed)
    const image = { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => random() * 256) }
    const [left, top, right, bottom] = toPixels(box, image)
    const crop = await regionPicture(image, [left, top, right, bottom], AS_IS)
    assert.deepEqual([crop.width, crop.height], [right - left, bottom - top])
    const data = await sharp(crop.bytes).raw().toBuffer()
    for (let y = top; y < bottom; y++) {
      const row = (y * width + left) * 3
      const cut = (y - top) * crop.width * 3
      assert.deepEqual(
        data.subarray(cut, cut + crop.width * 3),
        Buffer.from(image.data.subarray(row, row + crop.width * 3)),
      )
    }
    const edge = 1 + Math.floor(random() * 90)
    const whole = await wholePicture(image, { ...AS_IS, longestEdge: edge })
    assert.deepEqual({ width: whole.width, height: whole.height }, fitSize(image, { longestEdge: edge }).size)
  }),
  40,
)
