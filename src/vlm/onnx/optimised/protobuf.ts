/**
 * As much of protobuf's wire format as it takes to change some fields of a message and to keep every other byte.
 * Written by hand because libraries decode a message into objects and encode these anew, which copies all weights; this
 * reader gives views of the message.
 */

/** A field of a message; the arrays are views of the message, not copies. */
interface Field {
  number: number
  /** The content of a length-delimited field; null for a number. */
  value: Uint8Array | null
  /** The whole field: tag, length if there is one, and value. */
  bytes: Uint8Array
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/** The largest number of a field. */
const MAX_FIELD = 2 ** 29 - 1
/** Most bytes of a number of 64 bits. */
const MAX_VARINT = 10

/** The fields of a message, in order. Throws an Error if the bytes are not a message. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < message.length; ) {
    const start = at
    const [tag, afterTag] = readVarint(message, at)
    const type = tag % 8
    const number = Math.floor(tag / 8)
    if (number < 1 || number > MAX_FIELD) throw new Error(`field number ${number} at byte ${start}`)
    let value: Uint8Array | null = null
    if (type === VARINT) at = readVarint(message, afterTag)[1]
    else if (type === FIXED64) at = afterTag + 8
    else if (type === FIXED32) at = afterTag + 4
    else if (type === LENGTH_DELIMITED) {
      const [length, begin] = readVarint(message, afterTag)
      at = begin + length
      value = message.subarray(begin, at)
    } else throw new Error(`wire type ${type} at byte ${start}`)
    if (at > message.length) throw new Error(`the field at byte ${start} ends after the message`)
    fields.push({ number, value, bytes: message.subarray(start, at) })
  }
  return fields
}

/** Encodes a length-delimited field. */
function field(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(value.length), value])
}

/**
 * The message with some length-delimited fields changed.
 * @param changes New content from old, by the field's number.
 */
export function mapFields(message: Uint8Array, changes: Record<number, (value: Uint8Array) => Uint8Array>): Uint8Array {
  return Buffer.concat(
    fieldsOf(message).map(({ number, value, bytes }) => {
      const change = changes[number]
      if (!change || !value) return bytes
      const changed = change(value)
      return changed === value ? bytes : field(number, changed)
    }),
  )
}

function readVarint(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0
  const end = Math.min(bytes.length, from + MAX_VARINT)
  for (let at = from, scale = 1; at < end; at++, scale *= 128) {
    const byte = bytes[at] as number
    value += (byte % 128) * scale
    if (byte < 128) return [value, at + 1]
  }
  throw new Error(`the number at byte ${from} does not end`)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
