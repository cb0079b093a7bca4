import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  type Box,
  boxProblem,
  expandBox,
  formatBox,
  grow,
  parseBox,
  type Rect,
  roundOutwards,
  toPixels,
} from '../../src/contract/box.js'
import { boxes, boxesOf, sizes } from '../support/properties/boxes.js'
import { expect, holds } from '../support/properties/runs.js'

t.setTimeout(3_600_000)

const wholes = fc.constantFrom(1, 100, 1000)
const boxAndWhole = wholes.chain(whole => fc.tuple(boxesOf(whole), fc.constant(whole)))

holds(
  'pixels: in the image, never empty, around the box, and not a pixel more',
  fc.property(boxAndWhole, sizes, ([box, whole], size) => {
    const pixels = toPixels(box, size, whole)
    expect(pixels.every(Number.isInteger), `${pixels}`)
    for (const [start, end, side] of [
      [0, 2, size.width],
      [1, 3, size.height],
    ] as const) {
      const [from, to] = [pixels[start], pixels[end]]
      expect(from >= 0 && to > from && to <= side, `${pixels} in ${size.width}x${size.height}`)
      // whole numbers, so that nothing is rounded here
      const [low, high] = [box[start] * side, box[end] * side]
      expect(from * whole <= low && to * whole >= high, `${pixels} leaves out a part of ${box}`)
      expect((from + 1) * whole > low && (to - 1) * whole < high, `${pixels} is more than ${box}`)
    }
  }),
  1000,
)

holds(
  'pixels and back: around the box, each end off by less than a pixel',
  fc.property(boxes, sizes, (box, size) => {
    const [x1, y1, x2, y2] = toPixels(box, size)
    const { width, height } = size
    const back = [(x1 / width) * 100, (y1 / height) * 100, (x2 / width) * 100, (y2 / height) * 100]
    for (const [i, end] of back.entries()) {
      const off = (end - (box[i] as number)) * (i < 2 ? -1 : 1)
      const pixel = 100 / (i % 2 === 0 ? width : height)
      expect(off > -1e-9 && off < pixel + 1e-9, () => `${back}`)
    }
  }),
  1000,
)

/** White space of JSON. */
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\t', '\r'), maxLength: 5 })
const spaces = fc.tuple(...Array.from({ length: 10 }, () => space))

holds(
  'text and back, whatever white space and zeros there are',
  fc.property(boxes, spaces, fc.nat(4), fc.boolean(), (box, spaces, width, isDotted) => {
    assert.deepEqual(parseBox(` ${formatBox(box)}`), { box })
    const [first, last, ...rest] = spaces
    const numbers = box.map((n, i) => `${rest[2 * i]}${String(n).padStart(width, '0')}${rest[2 * i + 1]}`)
    assert.deepEqual(parseBox(`${first}[${numbers.join(',')}]${isDotted ? '.' : ''}${last}`), { box })
  }),
  300,
)

const boxLike = fc.string({ unit: fc.constantFrom(...'[](),. -0123456789\n'), maxLength: 40 })

holds(
  'any text holds a valid box or none, with the reason',
  fc.property(fc.oneof(boxLike, fc.string()), text => {
    const parsed = parseBox(text)
    if ('box' in parsed) expect(boxProblem(parsed.box) === null, `${parsed.box}`)
    else expect(['no_box', 'out_of_range', 'empty_box'].includes(parsed.problem), parsed.problem)
  }),
  500,
)

const factors = fc.double({ min: 1, max: 100, noNaN: true })
const holdsBox = ([a, b, c, d]: Rect, [x1, y1, x2, y2]: Rect) => a <= x1 && b <= y1 && c >= x2 && d >= y2
const area = ([x1, y1, x2, y2]: Rect) => (x2 - x1) * (y2 - y1)

holds(
  'growth: a valid box around the first, and a larger one for a larger factor',
  fc.property(boxes, factors, factors, (box, one, other) => {
    assert.deepEqual(expandBox(box, 1), box)
    const [less, more] = [Math.min(one, other), Math.max(one, other)]
    const grown = expandBox(box, less)
    expect(boxProblem(grown) === null, `${grown}`)
    expect(holdsBox(grown, box), `${grown} does not hold ${box}`)
    expect(holdsBox(expandBox(box, more), grown), `less by ${more} than by ${less}`)
    const rect = grow(box, less)
    const isCut = rect.some(end => end === 0 || end === 100)
    expect(isCut || Math.abs(area(rect) / area(box) - less) < 1e-9 * less, `its area is ${area(rect)}`)
  }),
  500,
)

const end = fc.double({ min: -50, max: 150, noNaN: true })

holds(
  'the whole per cents around any rectangle are a valid box, and hold what of it lies in the image',
  fc.property(fc.tuple(end, end, end, end), rect => {
    const box: Box = roundOutwards(rect)
    expect(boxProblem(box) === null, `${box}`)
    const inside = rect.map(value => Math.min(100, Math.max(0, value))) as unknown as Rect
    if (rect[2] > rect[0]) expect(box[0] <= inside[0] && box[2] >= inside[2], `${box}`)
    if (rect[3] > rect[1]) expect(box[1] <= inside[1] && box[3] >= inside[3], `${box}`)
  }),
  500,
)
