import { readFileSync } from 'node:fs'
import t from 'tap'
import { fieldsOf, mapFields } from '../../../../src/vlm/onnx/optimised/protobuf.js'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

t.test('fields of every kind, as the wire format has them', async t => {
  // protobuf.dev/programming-guides/encoding: 1: 150; 2: "testing"; then a fixed64, a fixed32, and field 20 as text
  const message = bytes('08 96 01  12 07 74 65 73 74 69 6e 67  19 01 02 03 04 05 06 07 08  25 01 02 03 04  a2 01 01 78')
  const fields = fieldsOf(message)
  t.same(
    fields.map(({ number, value }) => [number, value && Buffer.from(value).toString()]),
    [
      [1, null],
      [2, 'testing'],
      [3, null],
      [4, null],
      [20, 'x'],
    ],
  )
  t.ok(Buffer.concat(fields.map(field => field.bytes)).equals(message), 'every byte is in one of them')
})

t.test('what changes has its length right; the rest stays byte for byte', async t => {
  const message = bytes('08 96 01  12 01 61  12 01 62  1a 01 63')
  const long = new Uint8Array(300).fill(7)
  const changed = mapFields(message, { 1: () => long, 2: value => (value[0] === 0x61 ? long : value) })
  t.same([...changed.subarray(0, 6)], [0x08, 0x96, 0x01, 0x12, 0xac, 0x02])
  t.same([...changed.subarray(6, 306)], [...long])
  t.same([...changed.subarray(306)], [...bytes('12 01 62 1a 01 63')])
  t.same([...mapFields(message, {})], [...message])
})

t.test('a real graph comes through whole', async t => {
  const graph = readFileSync(new URL('../../../fixtures/graphs/int8.onnx', import.meta.url))
  t.ok(Buffer.from(mapFields(graph, { 7: value => mapFields(value, {}) })).equals(graph))
})

t.test('what is no message is an error', async t => {
  for (const broken of ['08', '08 ff', '12 05 61', '0b 00', '19 01 02'])
    t.throws(() => fieldsOf(bytes(broken)), Error, broken)
})

// found by `npm run fuzz`: such a length became NaN, and the reader took the rest of the message for read
t.test('numbers of more than 64 bits, and fields that protobuf has not', async t => {
  const endless = `${'80 '.repeat(150)} 01`
  t.throws(() => fieldsOf(bytes(`0a ${endless} 61`)), { message: 'the number at byte 1 does not end' })
  t.throws(() => fieldsOf(bytes(`${endless} 61`)), { message: 'the number at byte 0 does not end' })
  t.throws(() => fieldsOf(bytes('08 01 02 00')), { message: 'field number 0 at byte 2' })
  t.throws(() => fieldsOf(bytes('80 80 80 80 10 00')), { message: 'field number 536870912 at byte 0' })
  t.same(fieldsOf(bytes(`08 ${'ff '.repeat(9)} 01`))[0]?.bytes.length, 11, '-1 as 64 bits')
})
