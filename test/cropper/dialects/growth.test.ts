import t from 'tap'
import type { Rect } from '../../../src/contract/box.js'
import { atLeast, byArea, noGrowth, table3 } from '../../../src/cropper/dialects/growth.js'

const image = { width: 1000, height: 500 }
const area = ([x1, y1, x2, y2]: Rect) => ((x2 - x1) * (y2 - y1)) / 100
const rounded = (rect: Rect) => rect.map(value => Math.round(value * 1000) / 1000)

t.test('by a factor of the area, about the centre, shifted back inside', async t => {
  t.same(noGrowth([10, 20, 30, 40], image), [10, 20, 30, 40])
  t.same(byArea(4)([40, 40, 50, 60], image), [35, 30, 55, 70])
  t.same(byArea(4)([0, 90, 10, 100], image), [0, 80, 20, 100])
  t.same(byArea(100)([10, 10, 90, 20], image), [0, 0, 100, 100], 'a side is at most as long as the image')
  t.same(rounded(byArea(2.25)([40, 40, 60, 60], image)), [35, 35, 65, 65])
})

t.test("the paper's growth of seed boxes, by their area", async t => {
  const square = (percent: number): Rect => [
    50 - Math.sqrt(percent * 100) / 2,
    50 - Math.sqrt(percent * 100) / 2,
    50 + Math.sqrt(percent * 100) / 2,
    50 + Math.sqrt(percent * 100) / 2,
  ]
  for (const [percent, factor] of [
    [0.1, 45],
    [0.15, 45],
    [0.17, 10],
    [0.37, 10],
    [0.39, 4],
    [0.9, 4],
    [0.92, 2],
    [3.5, 2],
    [3.52, 1],
    [50, 1],
  ] as const) {
    t.ok(Math.abs(area(table3(square(percent), image)) - percent * factor) < 1e-9, `${percent} % by ${factor}`)
  }
})

t.test('to a number of pixels of the original', async t => {
  t.same(rounded(atLeast(336)([50, 50, 51, 52], image)), [33.7, 17.4, 67.3, 84.6])
  t.same(atLeast(336)([0, 0, 100, 100], image), [0, 0, 100, 100])
  t.same(rounded(atLeast(336)([10, 0, 90, 10], image)), [10, 0, 90, 67.2], 'each side by itself')
  t.same(atLeast(336)([10, 10, 20, 20], { width: 37, height: 111 }), [0, 0, 100, 100])
})
