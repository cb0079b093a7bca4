/** What a model's numbers mean, whatever they are, and however they are wrapped. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type Box, boxProblem, type Size } from '../../../src/contract/box.js'
import { DIALECTS } from '../../../src/cropper/dialects/dialects.js'
import { atLeast, byArea, noGrowth, table3 } from '../../../src/cropper/dialects/growth.js'
import { placeBox } from '../../../src/cropper/remote/place.js'
import { boxes, sizes } from '../../support/properties/boxes.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

type Numbers = readonly [number, number, number, number]

// by their names, which a failure prints
const dialects = fc.constantFrom(...DIALECTS.map(({ name }) => name))
const dialectOf = (name: string) => DIALECTS.find(dialect => dialect.name === name) as (typeof DIALECTS)[number]
const GROWTHS = { none: noGrowth, byArea: byArea(2.25), table3, atLeast: atLeast(336) }
const growths = fc.constantFrom(...(Object.keys(GROWTHS) as (keyof typeof GROWTHS)[]))
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -0.2, max: 1.2, noNaN: true }),
  fc.integer({ min: -100, max: 1100 }),
)
const numbers = fc.tuple(number, number, number, number)

holds(
  'any numbers: a valid box, or the reason why there is none',
  fc.property(numbers, fc.boolean(), dialects, growths, sizes, sizes, (numbers, isNamed, dialect, growth, ...both) => {
    const [image, picture] = both
    const placed = placeBox({ numbers, isNamed }, dialectOf(dialect), GROWTHS[growth], { image, picture })
    if ('box' in placed) expect(boxProblem(placed.box) === null, `${placed.box}`)
    else expect(['out_of_range', 'empty_box'].includes(placed.problem), placed.problem)
  }),
  1000,
)

const swap = ([a, b, c, d]: Numbers, x: boolean, y: boolean): Numbers => [x ? c : a, y ? d : b, x ? a : c, y ? b : d]

/** The numbers of a box in each form, as parts of the whole side. */
const FORMS = { 1: (n: number) => n / 100, 100: (n: number) => n, 1000: (n: number) => n * 10 } as const

holds(
  'a box in parts of 1, in per cent and in thousandths is the same box, whichever ends come first and whatever the order',
  fc.property(boxes, sizes, fc.boolean(), fc.boolean(), fc.constantFrom(1, 100, 1000), (box, image, x, y, scale) => {
    const ends = swap(box.map(FORMS[scale as keyof typeof FORMS]) as unknown as Numbers, x, y)
    const place = (numbers: Numbers, order: 'xyxy' | 'yxyx', isNamed: boolean) =>
      placeBox({ numbers, isNamed }, { order, scale, frame: 'image' }, noGrowth, { image, picture: image })
    const [a, b, c, d] = ends
    assert.deepEqual(place(ends, 'xyxy', false), { box })
    assert.deepEqual(place([b, a, d, c], 'yxyx', false), { box })
    assert.deepEqual(place(ends, 'yxyx', true), { box })
  }),
  500,
)

/** The box in parts of the square that the image stands in the middle of. */
function inSquare(box: Box, { width, height }: Size): Numbers {
  const longer = Math.max(width, height)
  const part = (per: number, side: number) => ((per / 100) * side + (longer - side) / 2) / longer
  return [part(box[0], width), part(box[1], height), part(box[2], width), part(box[3], height)]
}

holds(
  'a box in parts of the square around the image is the same box',
  fc.property(boxes, sizes, (box, image) => {
    const dialect = { order: 'xyxy', scale: 1, frame: 'square' } as const
    const text = { numbers: inSquare(box, image), isNamed: false }
    assert.deepEqual(placeBox(text, dialect, noGrowth, { image, picture: image }), { box })
  }),
  500,
)

/** Words of models, without a list of four numbers. */
const prose = fc.string({ unit: fc.constantFrom(...'aZ é漢🙂.!?:;-_"\'`*#\n\t 0123456789'), maxLength: 60 })
/** What may be wrapped around a box, as the text before and after it. */
const around = fc.constantFrom(
  ['', ''],
  ['```json\n', '\n```'],
  ['```\n', '```'],
  ['**', '**'],
  ['"', '"'],
  ['<answer>', '</answer>'],
  ['<think>Is it [1, 2, 3, 4]?</think>', ''],
  ['{"result": [{"bbox": "', '"}]}'],
)
const gap = fc.string({ unit: fc.constantFrom(' ', '\n', '\t'), maxLength: 20 })

holds(
  'what stands around a box, and the space in it, change nothing',
  fc.property(
    dialects,
    boxes,
    prose,
    prose,
    around,
    fc.tuple(gap, gap, gap, gap),
    (dialect, box, before, after, [open, close], gaps) => {
      const list = `[${box.map((n, i) => `${gaps[i]}${n}`).join(',')}]`
      const read = (text: string) => dialectOf(dialect).read({ text, toolCalls: [] })
      assert.deepEqual(read(`${before} ${open}${list}${close} ${after}`)?.numbers, box)
      const text = `${before}\n${open}{"bbox_2d":${gaps[0]}${list}}${close}\n${after}`
      const found = read(text)
      assert.deepEqual(found?.numbers, box)
      const spans = found.spans.map(([start, end]) => Number(text.slice(start, end)))
      assert.deepEqual(spans, box, 'where its numbers stand')
    },
  ),
  500,
)
