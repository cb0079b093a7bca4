/**
 * Conversion between 32-bit floats and IEEE 754 half-precision floats, which are passed as 16-bit words. To be replaced
 * by `Float16Array` once the oldest supported Node has it (24 does).
 */
import { Float16Array } from '@petamoriken/float16'

/** Rounds to nearest, ties to even. */
export function toHalf(values: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(values).buffer)
}

/** The value of each of the 65,536 words; made when it is first needed. */
let valuesByWord: Float32Array | null = null

/** Reads each word's value from a table: the library's own conversion of an array takes ninety times as long. */
export function fromHalf(words: Uint16Array): Float32Array {
  valuesByWord ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, word) => word).buffer))
  const values = new Float32Array(words.length)
  for (let i = 0; i < words.length; i++) values[i] = valuesByWord[words[i] as number] as number
  return values
}

/** The words of halves: of those that a graph gives, or of the memory of a newer Node's own `Float16Array`. */
export function halfWords(halves: Uint16Array | ArrayBufferView<ArrayBuffer>): Uint16Array {
  return halves instanceof Uint16Array
    ? halves
    : new Uint16Array(halves.buffer, halves.byteOffset, halves.byteLength / Uint16Array.BYTES_PER_ELEMENT)
}
