/** IEEE 754 half precision, as 16-bit words: Node 20 has no `Float16Array` yet. */

const word = new Uint32Array(1)
const single = new Float32Array(word.buffer)

/** Rounds to nearest, ties to even. */
export function toHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, halfBits)
}

export function fromHalf(words: Uint16Array): Float32Array {
  return Float32Array.from(words, halfValue)
}

/** The words of halves: those that a graph gives, or the memory of a newer Node's `Float16Array`. */
export function halfWords(halves: Uint16Array | ArrayBufferView<ArrayBuffer>): Uint16Array {
  return halves instanceof Uint16Array
    ? halves
    : new Uint16Array(halves.buffer, halves.byteOffset, halves.byteLength / Uint16Array.BYTES_PER_ELEMENT)
}

function halfBits(value: number): number {
  single[0] = value
  const bits = word[0] as number
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  // Below 2^-14 halves are multiples of 2^-24: the sum below makes the hardware round to one.
  if (magnitude < 0x38800000) {
    single[0] = Math.abs(value) + 0.5
    return sign | ((word[0] as number) - 0x3f000000)
  }
  const odd = (magnitude >>> 13) & 1
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13)
}

function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
