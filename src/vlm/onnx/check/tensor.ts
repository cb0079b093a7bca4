import { closeSync, openSync, readSync } from 'node:fs'
import { weightFile } from '../../folder/weights.js'
import { fromHalf } from '../half.js'
import type { FileField, GraphFile, Span } from './graph-file.js'
import { MAX_RANK } from './limits.js'
import { refusal } from './refusal.js'

/** What is known of a value before the graph runs. */
export interface Known {
  /** Its size. */
  dims: readonly number[]
  /** Its numbers, where there are few. */
  values: readonly number[] | null
  /** Whether the numbers may be fractions. */
  isFloat?: boolean
  /** Whether the size is only the least that it will be. */
  isLeast?: boolean
}

export interface KnownTensor extends Known {
  name: string
  /** Bytes that its numbers take. */
  bytes: number
}

/** Fields of TensorProto and of its `external_data`. */
const TENSOR = { dims: 1, type: 2, strings: 6, name: 8, raw: 9, external: 13, location: 14 } as const
/** Fields that hold numbers of some types: how many bytes each takes; null: as a varint, of at least one. */
const TYPED: Readonly<Record<number, number | null>> = { 4: 4, 5: null, 7: null, 10: 8, 11: null }
const ENTRY = { key: 1, value: 2 } as const

const STRING = 8
/** The location of a tensor whose bytes are in a file beside the graph. */
const EXTERNAL = 1
/** Bits of a number by TensorProto's data types: float32 is 1, int64 is 7. */
const BITS: Readonly<Record<number, number>> = {
  ...{ 1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128, 16: 16 },
  ...{ 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2 },
}

/** Data types that hold fractions. */
export const FLOATS: readonly number[] = [1, 10, 11, 16]

/** Most numbers that are read of a constant: more than any shape has. */
const MAX_VALUES = MAX_RANK

/**
 * Reads what a tensor declares, and compares it with what there is.
 * @throws CropVlmError invalid_model where its numbers are not all there
 */
export function readTensor(file: GraphFile, span: Span): KnownTensor {
  const { name, type, dims, external, raw, typed, held, strings } = readFields(file, span)
  const count = dims.reduce((product, size) => product * size, 1)
  const shown = `the weight ${name}: its dims are ${dims.join(' x ') || 'none'}`
  if (dims.some(size => size < 0)) throw refusal(file.path, shown)
  const short = (needed: string, given: string) =>
    refusal(file.path, `${shown}, which takes ${needed}, but it has ${given}`)
  if (type === STRING) {
    if (strings < count && external === null) throw short(`${count} texts`, `${strings}`)
    return { name, dims, values: null, bytes: 0 }
  }
  const bits = BITS[type]
  if (bits === undefined) throw refusal(file.path, `the weight ${name} is of the unknown type ${type}`)
  const bytes = Math.ceil((count * bits) / 8)
  const isShort = count <= MAX_VALUES
  const isFloat = FLOATS.includes(type)
  if (external) {
    const stretch = externalStretch(file, name, bytes, external)
    return { name, dims, bytes, isFloat, values: isShort ? numbers(readAt(stretch), type, count) : null }
  }
  if (raw) {
    if (raw.end - raw.start !== bytes) throw short(`${bytes} bytes`, `${raw.end - raw.start}`)
    return { name, dims, bytes, isFloat, values: isShort ? numbers(file.bytes(raw), type, count) : null }
  }
  // numbers of few bits share one
  if (held < (count * Math.min(8, bits)) / 8) throw short(`${bytes} bytes`, `${held} numbers at most`)
  return {
    name,
    dims,
    bytes,
    isFloat,
    values: isShort && held <= MAX_VALUES * 10 ? typedNumbers(file, typed, type) : null,
  }
}

function readFields(file: GraphFile, span: Span) {
  const dims: number[] = []
  const external = new Map<string, string>()
  const typed: FileField[] = []
  let [name, type, strings, held] = ['of a node', 0, 0, 0]
  let raw: Span | null = null
  let isExternal = false
  for (const field of file.fields(span)) {
    if (field.number === TENSOR.dims) {
      for (const size of file.varints(field))
        if (dims.push(size) > MAX_RANK) throw refusal(file.path, `a weight has more than ${MAX_RANK} dims`)
    } else if (field.number === TENSOR.type) type = field.value
    else if (field.number === TENSOR.name) name = file.text(field) || name
    else if (field.number === TENSOR.raw) raw = field
    else if (field.number === TENSOR.strings) strings += 1
    else if (field.number === TENSOR.location) isExternal = field.value === EXTERNAL
    else if (field.number === TENSOR.external) external.set(...readEntry(file, field))
    else if (field.number in TYPED) {
      held += field.isVarint ? 1 : (field.end - field.start) / (TYPED[field.number] ?? 1)
      if (typed.length < MAX_VALUES) typed.push(field)
    }
  }
  return { name, type, dims, external: isExternal ? external : null, raw: raw as Span | null, typed, held, strings }
}

function readEntry(file: GraphFile, span: Span): [key: string, value: string] {
  let [key, value] = ['', '']
  for (const field of file.fields(span)) {
    if (field.number === ENTRY.key) key = file.text(field)
    // prepacked weights have a long list there, which says nothing of where the weight lies
    else if (field.number === ENTRY.value && !key.startsWith('prepacked')) value = file.text(field)
  }
  return [key, value]
}

function externalStretch(
  { path: graph }: GraphFile,
  name: string,
  bytes: number,
  external: ReadonlyMap<string, string>,
): Span & { path: string } {
  const location = external.get('location') ?? ''
  const found = weightFile(graph, location)
  const start = Number(external.get('offset') ?? 0)
  const length = Number(external.get('length') ?? 0) || bytes
  if (start >= 0 && length === bytes && start + length <= found.bytes)
    return { path: found.path, start, end: start + length }
  throw refusal(
    graph,
    `the weight ${name} takes ${bytes} bytes, and lies in ${length} from byte ${start} of ${location}, which has ${found.bytes}`,
  )
}

function readAt({ path, start, end }: Span & { path: string }): Buffer {
  const bytes = Buffer.alloc(end - start)
  const handle = openSync(path, 'r')
  try {
    readSync(handle, bytes, 0, bytes.length, start)
  } finally {
    closeSync(handle)
  }
  return bytes
}

/** The numbers of the types that shapes and conditions have; null for others. */
function numbers(bytes: Buffer, type: number, count: number): number[] | null {
  const read = READERS[type]
  return read ? Array.from({ length: count }, (_, i) => read(bytes, i)) : null
}

const READERS: Readonly<Record<number, (bytes: Buffer, i: number) => number>> = {
  1: (bytes, i) => bytes.readFloatLE(4 * i),
  2: (bytes, i) => bytes.readUInt8(i),
  3: (bytes, i) => bytes.readInt8(i),
  4: (bytes, i) => bytes.readUInt16LE(2 * i),
  5: (bytes, i) => bytes.readInt16LE(2 * i),
  6: (bytes, i) => bytes.readInt32LE(4 * i),
  7: (bytes, i) => Number(bytes.readBigInt64LE(8 * i)),
  9: (bytes, i) => bytes.readUInt8(i),
  10: (bytes, i) => half(bytes.readUInt16LE(2 * i)),
  11: (bytes, i) => bytes.readDoubleLE(8 * i),
  12: (bytes, i) => bytes.readUInt32LE(4 * i),
  13: (bytes, i) => Number(bytes.readBigUInt64LE(8 * i)),
  16: (bytes, i) => brain(bytes.readUInt16LE(2 * i)),
}

const half = (word: number) => fromHalf(Uint16Array.of(word))[0] as number

/** A bfloat16 is the upper half of a float32. */
const brain = (word: number) => new Float32Array(Uint32Array.of(word * 2 ** 16).buffer)[0] as number

/** Of numbers that stand for themselves, and of halves, which are given by their bits. */
function typedNumbers(file: GraphFile, fields: readonly FileField[], type: number): number[] {
  const given = (bits: number) => (type === 10 ? half(bits) : type === 16 ? brain(bits) : bits)
  return fields.flatMap(field => {
    const size = TYPED[field.number]
    if (size === null || size === undefined) return Array.from(file.varints(field), given)
    const bytes = file.bytes(field)
    const read = READERS[size === 4 ? 1 : 11] as (typeof READERS)[number]
    return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => read(bytes, i))
  })
}
