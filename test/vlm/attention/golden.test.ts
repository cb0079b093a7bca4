/** The rule from attention to a box agrees with the trainer's, which wrote `fixtures/golden/attention.json`. */
import t from 'tap'
import { type Rect, roundOutwards } from '../../../src/contract/box.js'
import { attentionBox, baseSide } from '../../../src/vlm/attention/box.js'
import { relative } from '../../../src/vlm/attention/map.js'
import { attentionMap } from '../../../src/vlm/idefics3/attention-map.js'
import { goldenCases } from '../../support/goldens.js'

interface Case {
  kind: string
  width: number
  height: number
  rows: number
  cols: number
  /** Edge of a tile, in pixels. */
  tile: number
  /** The attention on the image's tokens, for a question and for the general one. */
  question: number[]
  general: number[]
  /** Of the relative attention. */
  sum: number
  rect: Rect
  box: number[]
}

const cases = goldenCases<Case>('attention.json')

t.test('each case of the golden', async t => {
  t.equal(cases.length, 28)
  for (const { kind, width, height, rows, cols, tile, question, general, sum, rect, box } of cases) {
    const grid = { rows, cols, tiles: rows === 0 ? 1 : rows * cols + 1 }
    const [asked, described] = [question, general].map(values => attentionMap(grid, Float64Array.from(values)))
    const map = relative(asked as never, described as never)
    const name = `${kind}, ${width}x${height}, ${rows}x${cols} tiles`
    const total = map.cells.reduce((all, value) => all + value, 0)
    t.ok(Math.abs(total - sum) <= sum * 1e-12, `${name}: the sum of the map`)
    const found = attentionBox(map, { width, height }, baseSide(map, { width, height }, tile))
    t.strictSame(found.map(round), rect, `${name}: the rectangle`)
    t.strictSame(roundOutwards(found), box, `${name}: the box`)
  }
  const rects = new Set(cases.map(({ rect }) => rect.join()))
  t.ok(rects.size > 15, 'the cases differ')
})

t.test('what is not finite gives the whole image', async t => {
  const cells = Float64Array.from({ length: 16 }, (_, i) => (i === 5 ? Number.NaN : 1))
  t.strictSame(attentionBox({ rows: 4, cols: 4, cells }, { width: 100, height: 100 }, 25), [0, 0, 100, 100])
})

t.test('attention of another number of tiles is refused', async t => {
  t.throws(() => attentionMap({ rows: 2, cols: 2, tiles: 5 }, new Float64Array(12)), /12 values are not the attention/)
})

/** Nine digits after the point, as the golden has them. */
function round(value: number): number {
  return Math.round(value * 1e9) / 1e9
}
