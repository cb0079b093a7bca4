/**
 * Moves the contents of a saved graph's data file to aligned offsets.
 *
 * A workaround for ONNX Runtime 1.30, which maps prepacked weights from whatever offset they have in that file, and
 * aligns only those above 1 MiB when it writes them. The kernel of MatMulNBits assumes that its packed weights start at
 * a multiple of 64 bytes. From another address it computes wrong numbers and reports no error: every logit was wrong
 * before this step, and none after it. It can go once ONNX Runtime aligns all that it writes: then `alignGraph` returns
 * false.
 */
import { type FileHandle, open, readFile, writeFile } from 'node:fs/promises'
import { fieldsOf, mapFields } from './protobuf.js'

/**
 * Numbers of fields, from onnx.proto: ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto,
 * StringStringEntryProto.
 */
const MODEL_GRAPH = 7
const GRAPH = { node: 1, initializer: 5 }
const NODE_ATTRIBUTE = 5
const ATTRIBUTE = { graph: 6, graphs: 11 }
const TENSOR_EXTERNAL_DATA = 13
const ENTRY = { key: 1, value: 2 }

/** What MLAS, ONNX Runtime's library of kernels, requires of a packed weight. In bytes, as all that follow. */
const ALIGNMENT = 64
/** Weights above `LARGE` are aligned to pages, as ONNX Runtime does, because each may be mapped by itself. */
const PAGE = 4096
const LARGE = 2 ** 20
/** How much is copied at once. */
const PIECE = 2 ** 24

/** Tells where a stretch of the data file is moved to: returns its new offset. */
type Move = (offset: number, length: number) => number

/**
 * Writes a copy of the file `data` in which everything is aligned as the file `target`, and rewrites the file `graph`,
 * which refers to its offsets.
 * @returns false, and writes nothing, if everything is aligned already
 */
export async function alignGraph(graph: string, data: string, target: string): Promise<boolean> {
  const model = await readFile(graph)
  const moves: { from: number; to: number; length: number }[] = []
  let end = 0
  let isAligned = true
  const rewritten = mapModel(model, (from, length) => {
    const alignment = length > LARGE ? PAGE : ALIGNMENT
    isAligned &&= from % ALIGNMENT === 0
    const to = Math.ceil(end / alignment) * alignment
    moves.push({ from, to, length })
    end = to + length
    return to
  })
  if (isAligned) return false
  const source = await open(data, 'r')
  const copy = await open(target, 'wx')
  try {
    for (const { from, to, length } of moves) await copyRange(source, copy, from, to, length)
    await copy.sync()
  } finally {
    await source.close()
    await copy.close()
  }
  await writeFile(graph, rewritten, { flush: true })
  return true
}

/** The model with all offsets changed as `move` says, also in graphs inside of nodes (branches, loop bodies). */
function mapModel(model: Uint8Array, move: Move): Uint8Array {
  const onTensor = (tensor: Uint8Array) => mapTensor(tensor, move)
  const onGraph = (graph: Uint8Array): Uint8Array =>
    mapFields(graph, { [GRAPH.node]: onNode, [GRAPH.initializer]: onTensor })
  const onAttribute = (attribute: Uint8Array) =>
    mapFields(attribute, { [ATTRIBUTE.graph]: onGraph, [ATTRIBUTE.graphs]: onGraph })
  const onNode = (node: Uint8Array) => mapFields(node, { [NODE_ATTRIBUTE]: onAttribute })
  return mapFields(model, { [MODEL_GRAPH]: onGraph })
}

/**
 * Moves what one tensor has in the data file. Its entries are `location`, `offset` and `length` of the weight itself,
 * and for each form that a kernel packed it into `prepacked_<n>`: "<key>|<offset>;<length>;<checksum>|...".
 */
function mapTensor(tensor: Uint8Array, move: Move): Uint8Array {
  const entries = new Map(
    fieldsOf(tensor).flatMap(({ number, value }) => (number === TENSOR_EXTERNAL_DATA && value ? [entryOf(value)] : [])),
  )
  if (entries.size === 0) return tensor
  const offset = String(move(count(entries.get('offset') ?? '0'), count(entries.get('length'))))
  return mapFields(tensor, {
    [TENSOR_EXTERNAL_DATA]: entry => {
      const [key, value] = entryOf(entry)
      if (key === 'offset') return withValue(entry, offset)
      return key.startsWith('prepacked') ? withValue(entry, movePrepacked(value, move)) : entry
    },
  })
}

function movePrepacked(text: string, move: Move): string {
  const [key, ...blobs] = text.split('|')
  const moved = blobs.map(blob => {
    const [offset, length, ...rest] = blob.split(';')
    return [move(count(offset), count(length)), length, ...rest].join(';')
  })
  return [key, ...moved].join('|')
}

/** A number of bytes. */
function count(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text)
  throw new Error(`the graph has ${JSON.stringify(text)} where a number of bytes belongs`)
}

function entryOf(entry: Uint8Array): [key: string, value: string] {
  const fields = fieldsOf(entry)
  const text = (wanted: number) =>
    Buffer.from(fields.find(({ number }) => number === wanted)?.value ?? []).toString('utf8')
  return [text(ENTRY.key), text(ENTRY.value)]
}

function withValue(entry: Uint8Array, value: string): Uint8Array {
  return mapFields(entry, { [ENTRY.value]: () => Buffer.from(value) })
}

async function copyRange(source: FileHandle, target: FileHandle, from: number, to: number, length: number) {
  const buffer = Buffer.alloc(Math.min(PIECE, length))
  for (let done = 0; done < length; ) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(PIECE, length - done), from + done)
    if (bytesRead === 0) throw new Error(`the data file ends before byte ${from + length}`)
    await target.write(buffer, 0, bytesRead, to + done)
    done += bytesRead
  }
}
