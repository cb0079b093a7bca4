/** As much of protobuf's wire format as it takes to change some fields of a message and keep every other byte. */

/** A field as it stands in a message. */
export interface Field {
  number: number
  /** What a length-delimited field holds; null for a number, of which `bytes` is all. */
  value: Uint8Array | null
  /** Tag, length and value. */
  bytes: Uint8Array
}

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

/** The fields of a message, in order. Throws an Error where it is none. */
export function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = []
  for (let at = 0; at < message.length; ) {
    const start = at
    const [tag, afterTag] = readVarint(message, at)
    const type = tag % 8
    let value: Uint8Array | null = null
    if (type === VARINT) at = readVarint(message, afterTag)[1]
    else if (type === FIXED64) at = afterTag + 8
    else if (type === FIXED32) at = afterTag + 4
    else if (type === LENGTH_DELIMITED) {
      const [length, begin] = readVarint(message, afterTag)
      at = begin + length
      value = message.subarray(begin, at)
    } else throw new Error(`wire type ${type} at byte ${start}`)
    if (at > message.length) throw new Error(`the field at byte ${start} ends behind the message`)
    fields.push({ number: Math.floor(tag / 8), value, bytes: message.subarray(start, at) })
  }
  return fields
}

/** A length-delimited field. */
function field(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + LENGTH_DELIMITED), varint(value.length), value])
}

/** The message with what `change` makes of each field that has one of the numbers. */
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
  for (let at = from, scale = 1; at < bytes.length; at++, scale *= 128) {
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
