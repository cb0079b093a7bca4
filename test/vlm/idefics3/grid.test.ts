import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { tileGrid } from '../../../src/vlm/idefics3/grid.js'
import { goldenCases } from '../../support/goldens.js'
import { sizes } from '../../support/properties/boxes.js'
import { holds } from '../../support/properties/runs.js'

interface Case {
  tile: number
  width: number
  height: number
  longest_edge: number
  rows: number
  cols: number
  tiles: number
}

t.test('tile grids are those of transformers for every size and resolution', async t => {
  const cases = goldenCases<Case>('grids.json')
  t.ok(new Set(cases.map(({ width, height }) => `${width}x${height}`)).size >= 12, 'at least 12 sizes')
  t.ok(cases.some(({ width, height }) => width === 1 && height === 1))
  t.ok(cases.some(({ width, height }) => width === 6000 && height === 4000))
  for (const { width, height, longest_edge, tile, rows, cols, tiles } of cases) {
    const grid = tileGrid({ width, height }, longest_edge, tile)
    t.match(grid, { rows, cols, tiles }, `${width}x${height} at ${longest_edge} in tiles of ${tile}`)
  }
})

t.test("the contract's table", async t => {
  const grid = (width: number, height: number, edge: number) => {
    const { rows, cols } = tileGrid({ width, height }, edge, 512)
    return rows === 0 ? '1' : `${rows}x${cols}+1`
  }
  for (const [width, height] of [
    [640, 480],
    [1000, 300],
    [1024, 1024],
    [37, 11],
  ] as const)
    t.equal(grid(width, height, 512), '1')
  t.equal(grid(640, 480, 1024), '2x2+1')
  t.equal(grid(1000, 300, 1024), '1x2+1')
  t.equal(grid(640, 480, 2048), '3x4+1')
  t.equal(grid(1000, 300, 2048), '2x4+1')
  t.equal(grid(1024, 1024, 2048), '4x4+1')
  t.equal(grid(37, 11, 2048), '2x4+1')
})

t.test('sizes between the steps', async t => {
  const { scaled, whole } = tileGrid({ width: 1000, height: 300 }, 1024, 512)
  t.same(scaled, { width: 1024, height: 308 }, 'the short edge 307.2 is cut to 307 and made even')
  t.same(whole, { width: 1024, height: 512 })
  t.same(tileGrid({ width: 9000, height: 3 }, 512, 512).scaled, { width: 512, height: 1 }, 'never below one pixel')
  t.same(tileGrid({ width: 3, height: 9000 }, 512, 512).scaled, { width: 1, height: 512 })
  t.same(
    tileGrid({ width: 200, height: 100 }, 8192, 512).scaled,
    { width: 4096, height: 2048 },
    'transformers caps at 4096',
  )
  t.same(tileGrid({ width: 100, height: 200 }, 8192, 512).scaled, { width: 2048, height: 4096 })
})

t.test('a strip of one pixel has a tile: 1568 times 1/1568 is below 1 as a float', async t => {
  t.same(tileGrid({ width: 1, height: 1568 }, 1568, 32), {
    rows: 49,
    cols: 1,
    tiles: 50,
    scaled: { width: 1, height: 1568 },
    whole: { width: 32, height: 1568 },
  })
})

holds(
  'any image: whole tiles each way that hold the scaled image, and one more for the whole',
  fc.property(sizes, fc.integer({ min: 1, max: 64 }), fc.constantFrom(32, 64, 364, 512), (size, multiple, tile) => {
    const { rows, cols, tiles, scaled, whole } = tileGrid(size, multiple * tile, tile)
    const sides = [scaled.width, scaled.height, whole.width, whole.height]
    assert.ok(sides.every(Number.isInteger) && Math.min(...sides) >= 1 && Math.max(...sides) <= 4096 + tile, `${sides}`)
    assert.deepEqual([whole.width % tile, whole.height % tile], [0, 0])
    assert.ok(whole.width >= Math.min(scaled.width, tile) && whole.height >= Math.min(scaled.height, tile))
    const isSplit = whole.width > tile || whole.height > tile
    const split = [whole.height / tile, whole.width / tile]
    assert.deepEqual([rows, cols, tiles], isSplit ? [...split, (split[0] ?? 0) * (split[1] ?? 0) + 1] : [0, 0, 1])
  }),
  500,
)
