import t from 'tap'
import { gridSize } from '../../src/image/grid.js'
import { smartResize } from '../support/fakes/pointing-server.js'

const grid = { multipleOf: 28, minPixels: 3136, maxPixels: 12_845_056 }
const size = (width: number, height: number, edge: number | null = null, more = {}) => {
  const found = gridSize({ width, height }, { ...grid, ...more }, edge)
  return [found.width, found.height]
}

t.test('the nearest size of the grid, at most the longest edge', async t => {
  t.same(size(640, 480), [644, 476])
  t.same(size(640, 480, 1024), [644, 476], 'not enlarged')
  t.same(size(4000, 3000, 1024), [1008, 756])
  t.same(size(3000, 4000, 1024), [756, 1008])
  t.same(size(1000, 300, 560), [560, 168])
  t.same(size(37, 111), [28, 112])
  t.same(size(1, 1), [56, 56], 'no smaller than the grid allows')
  t.same(
    size(640, 480, 1),
    [56, 56].map((_, i) => size(640, 480, 28)[i]),
  )
  t.same(size(5000, 50, 1024), [1008, 28])
  t.same(size(8000, 6000), [4116, 3080], 'no more pixels than the grid allows')
  t.same(size(640, 480, 1280, { multipleOf: 32, minPixels: 65_536 }), [640, 480])
})

t.test("a server's smart_resize leaves it as it is", async t => {
  for (let width = 1; width < 6000; width = Math.ceil(width * 1.7))
    for (let height = 1; height < 6000; height = Math.ceil(height * 1.9))
      for (const edge of [null, 100, 1024, 2048]) {
        const found = gridSize({ width, height }, grid, edge)
        t.same(smartResize(found), found, `${width}x${height}, ${edge}`)
      }
})
