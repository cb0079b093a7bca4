import t from 'tap'
import { fromHalf, halfWords, toHalf } from '../../../src/vlm/onnx/half.js'

t.test('every half survives the way there and back', async t => {
  const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits)
  const isNaN16 = (bits: number) => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0
  const wrong = toHalf(fromHalf(all)).findIndex((bits, i) => bits !== i && !isNaN16(i))
  t.equal(wrong, -1)
  t.ok(Number.isNaN(fromHalf(toHalf(Float32Array.of(Number.NaN)))[0]))
})

t.test('rounds to nearest, ties to even, and to infinity beyond the range', async t => {
  const round = (value: number) => fromHalf(toHalf(Float32Array.of(value)))[0]
  t.equal(round(1 + 2 ** -11), 1, 'a tie goes to the even neighbour')
  t.equal(round(1 + 3 * 2 ** -11), 1 + 2 ** -9)
  t.equal(round(1 + 2 ** -11 + 2 ** -20), 1 + 2 ** -10)
  t.equal(round(0.1), 0.0999755859375)
  t.equal(round(65_519), 65_504)
  t.equal(round(65_520), Number.POSITIVE_INFINITY)
  t.equal(round(-1e30), Number.NEGATIVE_INFINITY)
  t.equal(round(2 ** -25), 0)
  t.equal(round(3 * 2 ** -25), 2 ** -23)
  t.ok(Object.is(round(-1e-30), -0))
})

t.test("the words of a newer Node's own halves are those of its memory, not its rounded values", async t => {
  const words = Uint16Array.of(0, 0x3800, 0xc000)
  t.equal(halfWords(words), words)
  // another view of the same memory, as a `Float16Array` would be
  const other = new DataView(words.buffer, 2, 4)
  t.same([...fromHalf(halfWords(other))], [0.5, -2])
})
