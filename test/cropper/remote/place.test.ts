import t from 'tap'
import { boxProblem } from '../../../src/contract/box.js'
import { noGrowth } from '../../../src/cropper/dialects/growth.js'
import { placeBox } from '../../../src/cropper/remote/place.js'

type Numbers = readonly [number, number, number, number]
const xyxy = { order: 'xyxy', scale: 1000, frame: 'image' } as const
const image = { width: 640, height: 480 }
const sizes = { image, picture: { width: 644, height: 476 } }
const text = (...numbers: Numbers) => ({ numbers, isNamed: false })

t.test('whole per cent, rounded outwards, without the noise of floating point', async t => {
  t.same(placeBox(text(101, 209, 300, 401), xyxy, noGrowth, sizes), { box: [10, 20, 30, 41] })
  for (let per = 1; per < 100; per++) {
    const unit = { ...xyxy, scale: 1 }
    t.same(placeBox(text(per / 100, per / 100, 1, 1), unit, noGrowth, sizes), { box: [per, per, 100, 100] })
    t.same(placeBox(text(0, 0, per / 100, per / 100), unit, noGrowth, sizes), { box: [0, 0, per, per] })
  }
  t.same(placeBox(text(499, 499, 499.1, 499.1), xyxy, noGrowth, sizes), { box: [49, 49, 50, 50] }, 'never empty')
  t.same(placeBox(text(999.9999999, 0, 1000, 1e-7), xyxy, noGrowth, sizes), { box: [99, 0, 100, 1] })
})

t.test('a box smaller than the noise, about a whole per cent, is a valid box', async t => {
  const placed = placeBox(text(499.999999, 0, 500.000001, 1000), xyxy, noGrowth, sizes)
  t.same(placed, { box: [50, 0, 51, 100] })
  t.equal('box' in placed && boxProblem(placed.box), null)
})

t.test('pixels are those of the picture that was sent', async t => {
  t.same(placeBox(text(322, 0, 644, 238), { ...xyxy, scale: 'pixels' }, noGrowth, sizes), { box: [50, 0, 100, 50] })
})

t.test('parts of a padded square', async t => {
  const square = { ...xyxy, scale: 1, frame: 'square' } as const
  // 640x480: 80 of 640 pixels are padding above, and as many below
  t.same(placeBox(text(0.5, 0.125, 1, 0.5), square, noGrowth, sizes), { box: [50, 0, 100, 50] })
  t.same(placeBox(text(0, 0, 1, 1), square, noGrowth, sizes), { box: [0, 0, 100, 100] })
  t.same(placeBox(text(0, 0, 1, 0.12), square, noGrowth, sizes), { problem: 'out_of_range' }, 'padding alone')
  const tall = { image: { width: 100, height: 400 }, picture: { width: 336, height: 336 } }
  t.same(placeBox(text(0.375, 0, 0.5, 0.25), square, noGrowth, tall), { box: [0, 0, 50, 25] })
})

t.test('y before x, but not where each number has its name', async t => {
  const gemini = { ...xyxy, order: 'yxyx' } as const
  t.same(placeBox(text(100, 200, 300, 400), gemini, noGrowth, sizes), { box: [20, 10, 40, 30] })
  t.same(placeBox(text(300, 400, 100, 200), gemini, noGrowth, sizes), { box: [20, 10, 40, 30] }, 'swapped')
  t.same(placeBox({ ...text(100, 200, 300, 400), isNamed: true }, gemini, noGrowth, sizes), { box: [10, 20, 30, 40] })
})
