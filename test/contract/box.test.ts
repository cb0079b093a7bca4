import t from 'tap'
import {
  areaShare,
  type Box,
  boxProblem,
  expandBox,
  FULL_BOX,
  formatBox,
  parseBox,
  toPixels,
} from '../../src/contract/box.js'
import { holds } from '../support/images/boxes.js'
import { seeded } from '../support/scripted.js'

const random = seeded(7)
const upTo = (most: number) => Math.floor(random() * (most + 1))

function someBox(): Box {
  const [x1, y1] = [upTo(99), upTo(99)]
  return [x1, y1, x1 + 1 + upTo(99 - x1), y1 + 1 + upTo(99 - y1)]
}

t.test('texts that hold a box', async t => {
  const rows: [text: string, box: Box][] = [
    [' [12, 5, 80, 47].', [12, 5, 80, 47]],
    ['[0,0,100,100]', FULL_BOX],
    ['\n[ 1 ,2 , 3,  4 ] \n', [1, 2, 3, 4]],
    ['[007, 0, 08, 0001].', [7, 0, 8, 1]],
  ]
  for (const [text, box] of rows) t.strictSame(parseBox(text), { box }, text)
})

t.test('texts that hold none, and why', async t => {
  const rows = {
    no_box: [
      '',
      'unanswerable',
      '[1, 2, 3]',
      '[1, 2, 3, 4, 5]',
      '[1, 2, 3, 4]..',
      '[1, 2, 3, 4] is it',
      'It is [1, 2, 3, 4].',
      '[1.5, 2, 3, 4]',
      '[-1, 2, 3, 4]',
      '[12345, 2, 3, 4]',
      '1, 2, 3, 4',
      '[１, 2, 3, 4]',
    ],
    out_of_range: ['[0, 0, 101, 50]', '[0, 0, 50, 9999]', '[101, 0, 50, 50]'],
    empty_box: ['[5, 5, 5, 9]', '[5, 5, 9, 5]', '[9, 5, 5, 9]', '[0, 0, 0, 0]'],
  } as const
  for (const problem of ['no_box', 'out_of_range', 'empty_box'] as const)
    for (const text of rows[problem]) t.strictSame(parseBox(text), { problem }, text)
  t.equal(boxProblem([1, 2, 3]), 'no_box')
  t.equal(boxProblem([1, 2, 3, Number.NaN]), 'out_of_range')
  t.equal(boxProblem([1, 2, 3, 4]), null)
})

t.test('every box that is written can be read', async t => {
  t.equal(formatBox([12, 5, 80, 47]), '[12, 5, 80, 47].')
  for (let i = 0; i < 500; i++) {
    const box = someBox()
    t.equal(boxProblem(box), null)
    t.strictSame(parseBox(` ${formatBox(box)}`), { box })
  }
})

t.test('per cent to pixels: floor of the top-left, ceiling of the bottom-right', async t => {
  t.strictSame(toPixels([12, 5, 80, 47], { width: 1600, height: 1200 }), [192, 60, 1280, 564])
  t.strictSame(toPixels([33, 33, 34, 34], { width: 10, height: 1000 }), [3, 330, 4, 340])
  t.strictSame(toPixels([99, 0, 100, 1], { width: 1, height: 1 }), [0, 0, 1, 1])
  t.strictSame(toPixels([1, 1, 2, 2], { width: 37, height: 11 }), [0, 0, 1, 1])
  // 7 % of 100 is 7, though 0.07 * 100 is 7.000000000000001
  t.strictSame(toPixels([7, 14, 28, 55], { width: 100, height: 100 }), [7, 14, 28, 55])
  t.strictSame(toPixels([70, 145, 280, 550], { width: 100, height: 1000 }, 1000), [7, 145, 28, 550], 'of thousandths')
})

t.test('pixels lie in the image, hold at least one, and cover the box', async t => {
  for (let i = 0; i < 500; i++) {
    const [box, size] = [someBox(), { width: 1 + upTo(7000), height: 1 + upTo(40) }]
    const [left, top, right, bottom] = toPixels(box, size)
    t.ok(left >= 0 && top >= 0 && right <= size.width && bottom <= size.height, `${box} in ${size.width}`)
    t.ok(right > left && bottom > top)
    t.ok(left * 100 <= box[0] * size.width && right * 100 >= box[2] * size.width)
    t.ok(top * 100 <= box[1] * size.height && bottom * 100 >= box[3] * size.height)
  }
  t.strictSame(toPixels(FULL_BOX, { width: 6000, height: 3999 }), [0, 0, 6000, 3999])
})

t.test('the share of the image that a box covers', async t => {
  t.equal(areaShare(FULL_BOX), 1)
  t.equal(areaShare([10, 20, 60, 40]), 0.1)
  t.equal(areaShare([99, 99, 100, 100]), 0.0001)
})

t.test('a box grows by its area, about its centre, and stays in the image', async t => {
  t.strictSame(expandBox([40, 40, 60, 60], 4), [30, 30, 70, 70])
  t.strictSame(expandBox([40, 45, 60, 55], 2.25), [35, 42, 65, 58], 'rounded outwards')
  t.strictSame(expandBox([0, 10, 20, 30], 4), [0, 0, 30, 40], 'clamped, not shifted')
  t.strictSame(expandBox([1, 1, 99, 99], 10), FULL_BOX)
  for (let i = 0; i < 500; i++) {
    const [box, factor] = [someBox(), 1 + random() * 9]
    t.strictSame(expandBox(box, 1), box)
    const grown = expandBox(box, factor)
    const [x1, y1, x2, y2] = grown
    t.equal(boxProblem([x1, y1, x2, y2]), null)
    t.ok(holds(grown, box), `${box} by ${factor}`)
    const area = (x2 - x1) * (y2 - y1)
    const inside = x1 > 0 && y1 > 0 && x2 < 100 && y2 < 100
    t.ok(!inside || area >= factor * (box[2] - box[0]) * (box[3] - box[1]) - 1e-9)
  }
})
