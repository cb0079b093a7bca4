/** The protobuf reader: its fields are the message, byte for byte, and no change changes nothing. */
import assert from 'node:assert/strict'
import { fieldsOf, mapFields } from '../../../src/vlm/onnx/optimised/protobuf.js'
import type { Target } from '../../target.js'

/** What it says of bytes that are no message. */
const DOCUMENTED = /^(wire type \d|field number \d|the number at byte \d+ |the field at byte \d+ )/

export const target: Target = {
  isSync: true,
  maxLength: 4096,
  maxMs: 100,
  run(message) {
    const fields = orNone(message)
    if (fields === null) return
    assert.ok(Buffer.concat(fields.map(({ bytes }) => bytes)).equals(message), 'the fields are not the message')
    for (const { number, value } of fields) {
      assert.ok(Number.isSafeInteger(number) && number >= 0, `field ${number}`)
      if (value === null) continue
      assert.equal(value.buffer, message.buffer)
      assert.ok(value.byteOffset >= message.byteOffset)
      assert.ok(value.byteOffset + value.length <= message.byteOffset + message.length, 'reads beyond the message')
    }
    assert.ok(Buffer.from(mapFields(message, {})).equals(message))
    // every field with one byte more is still a message of as many fields
    const longer = mapFields(message, { 1: value => Buffer.concat([value, Buffer.from([0])]) })
    const grown = fieldsOf(longer)
    assert.deepEqual(
      grown.map(({ number, value }) => [number, value?.length]),
      fields.map(({ number, value }) => [number, value && number === 1 ? value.length + 1 : value?.length]),
    )
  },
}

function orNone(message: Buffer) {
  try {
    return fieldsOf(message)
  } catch (error) {
    assert.ok(error instanceof Error && error.constructor === Error && DOCUMENTED.test(error.message), String(error))
    return null
  }
}
