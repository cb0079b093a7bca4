/**
 * Reads a protobuf message from a file where it lies: what is not asked for is skipped, however long it is. ONNX Runtime's
 * own reader, and every library's, takes the whole of a graph into memory first.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { refusal } from './refusal.js'

/** Where a length-delimited field's content lies in the file: from `start`, before `end`. In bytes. */
export interface Span {
  start: number
  end: number
}

export interface FileField extends Span {
  number: number
  /** Of a varint, as an int64; 0 for other fields. Beyond 2^53 it is rounded. */
  value: number
  isVarint: boolean
}

const WINDOW = 2 ** 14
/** Longest name that is read, in bytes; real ones have at most some hundreds. */
const MAX_NAME = 2 ** 12
/** Most fields that are read of one file: several times those of the most nodes that a graph may have. */
const MAX_FIELDS = 4_000_000

/** @throws CropVlmError invalid_model, from all methods, where the bytes are no message */
export class GraphFile {
  readonly size: number
  readonly #handle: number
  readonly #window = Buffer.alloc(WINDOW)
  /** What the window holds: `#held` bytes from `#from`. */
  #from = 0
  #held = 0
  #fields = 0

  /** Throws the file system's error if the file cannot be read. */
  constructor(readonly path: string) {
    this.#handle = openSync(path, 'r')
    this.size = fstatSync(this.#handle).size
  }

  close(): void {
    closeSync(this.#handle)
  }

  get whole(): Span {
    return { start: 0, end: this.size }
  }

  /** The fields of a message, in order. */
  *fields({ start, end }: Span): Generator<FileField> {
    for (let at = start; at < end; ) {
      this.#fields += 1
      if (this.#fields > MAX_FIELDS)
        throw refusal(this.path, `it has more than ${MAX_FIELDS} fields of nodes and weights`)
      const tag = this.#varint(at, end)
      const number = Math.floor(tag.value / 8)
      const type = tag.value % 8
      if (type === 0) {
        const { value, next } = this.#varint(tag.next, end)
        yield { number, value, isVarint: true, start: tag.next, end: next }
        at = next
      } else {
        const field = { number, value: 0, isVarint: false, ...this.#content(type, tag.next, end) }
        if (field.end > end) throw this.#broken(at)
        yield field
        at = field.end
      }
    }
  }

  text({ start, end }: Span): string {
    if (end - start > MAX_NAME) throw refusal(this.path, `a name in it has ${end - start} bytes`)
    return this.bytes({ start, end }).toString('utf8')
  }

  bytes({ start, end }: Span): Buffer {
    const held = start - this.#from
    if (held >= 0 && end - this.#from <= this.#held) return Buffer.from(this.#window.subarray(held, end - this.#from))
    const bytes = Buffer.alloc(end - start)
    if (readSync(this.#handle, bytes, 0, bytes.length, start) < bytes.length) throw this.#broken(start)
    return bytes
  }

  /** The whole numbers of a repeated field, packed or one by one. */
  *varints(field: FileField): Generator<number> {
    if (field.isVarint) yield field.value
    else
      for (let at = field.start; at < field.end; ) {
        const { value, next } = this.#varint(at, field.end)
        yield value
        at = next
      }
  }

  #content(type: number, at: number, end: number): Span {
    if (type === 1) return { start: at, end: at + 8 }
    if (type === 5) return { start: at, end: at + 4 }
    if (type !== 2) throw this.#broken(at)
    const { value: length, next } = this.#varint(at, end)
    return { start: next, end: next + (length < 0 ? Number.POSITIVE_INFINITY : length) }
  }

  #varint(from: number, end: number): { value: number; next: number } {
    let value = 0
    let scale = 1
    for (let at = from; at < end && at < from + 10; at++, scale *= 128) {
      const byte = this.#byte(at)
      value += (byte % 128) * scale
      // the tenth byte holds the sign of an int64
      if (byte < 128) return { value: at - from === 9 ? this.#negative(from) : value, next: at + 1 }
    }
    throw this.#broken(from)
  }

  #negative(from: number): number {
    let value = 0n
    for (let i = 9; i >= 0; i--) value = value * 128n + BigInt(this.#byte(from + i) % 128)
    return Number(BigInt.asIntN(64, value))
  }

  #byte(at: number): number {
    if (at < this.#from || at >= this.#from + this.#held) {
      this.#from = at
      this.#held = readSync(this.#handle, this.#window, 0, WINDOW, at)
      if (this.#held === 0) throw this.#broken(at)
    }
    return this.#window[at - this.#from] as number
  }

  #broken(at: number) {
    return refusal(this.path, `it is no ONNX graph: at byte ${at} there is no field of one`)
  }
}
