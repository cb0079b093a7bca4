import t from 'tap'
import { detectorSize } from '../../src/ocr/detect/detect.js'
import { smallestRectangle } from '../../src/ocr/detect/rectangle.js'
import { textRegions } from '../../src/ocr/detect/regions.js'
import { decodeCtc } from '../../src/ocr/recognize/ctc.js'
import { cutLine } from '../../src/ocr/recognize/cut.js'

t.test('the smallest rectangle, also of a slanted line', async t => {
  const level = smallestRectangle([
    [2, 3],
    [12, 3],
    [12, 7],
    [2, 7],
    [5, 5],
  ])
  t.same(level.corners, [
    [2, 3],
    [12, 3],
    [12, 7],
    [2, 7],
  ])
  t.match(level, { width: 10, height: 4 })
  const slope = Math.PI / 9
  const turned = (u: number, v: number) =>
    [u * Math.cos(slope) - v * Math.sin(slope), u * Math.sin(slope) + v * Math.cos(slope)] as const
  const slanted = smallestRectangle([turned(0, 0), turned(40, 0), turned(40, 6), turned(0, 6), turned(20, 3)])
  t.ok(Math.abs(slanted.width - 40) < 1e-9 && Math.abs(slanted.height - 6) < 1e-9)
  t.ok(Math.hypot(slanted.corners[1][0] - turned(40, 0)[0], slanted.corners[1][1] - turned(40, 0)[1]) < 1e-9)
})

t.test('regions of a map', async t => {
  const size = { width: 100, height: 40 }
  const map = new Float32Array(4000)
  const fill = (x1: number, y1: number, x2: number, y2: number, value: number) => {
    for (let y = y1; y < y2; y++) map.fill(value, y * 100 + x1, y * 100 + x2)
  }
  fill(10, 10, 60, 16, 0.9)
  fill(70, 10, 90, 16, 0.35) // too unsure as a whole
  fill(10, 30, 12, 32, 0.9) // too small
  const regions = textRegions(map, size)
  t.equal(regions.length, 1)
  const [[x1, y1], , [x2, y2]] = regions[0]?.corners ?? [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]
  t.ok(x1 < 8 && y1 < 8 && x2 > 62 && y2 > 18, 'it has grown as the training had shrunk it')
})

t.test('the detector gets multiples of 32, neither tiny nor huge', async t => {
  t.same(detectorSize({ width: 700, height: 1600 }), { width: 576, height: 1280 })
  t.same(detectorSize({ width: 400, height: 400 }), { width: 736, height: 736 })
  t.same(detectorSize({ width: 3000, height: 30 }), { width: 1280, height: 32 })
})

t.test('CTC: blanks part what is repeated', async t => {
  const steps = [0, 1, 1, 0, 1, 2, 0]
  const data = new Float32Array(steps.length * 3)
  for (const [step, best] of steps.entries()) data[step * 3 + best] = 0.8
  const { text, score } = decodeCtc(data, [steps.length, 3], ['', 'a', 'b'])
  t.equal(text, 'aab')
  t.ok(Math.abs(score - 0.8) < 1e-6)
  t.same(decodeCtc(new Float32Array([1, 0, 0]), [1, 3], ['', 'a', 'b']), { text: '', score: 0 })
})

t.test('a line that runs downwards is cut out level', async t => {
  const picture = { width: 20, height: 100, data: new Uint8Array(6000) }
  // white at the line's beginning, which is at the top
  picture.data.fill(255, 0, 20 * 50 * 3)
  const region = smallestRectangle([
    [2, 2],
    [18, 2],
    [18, 98],
    [2, 98],
  ])
  const cut = cutLine(picture, region)
  t.equal(cut.height, 48)
  t.ok(cut.width > 200)
  const at = (x: number) => cut.data[(24 * cut.width + x) * 3]
  t.same([at(5), at(cut.width - 6)], [255, 0])
})
