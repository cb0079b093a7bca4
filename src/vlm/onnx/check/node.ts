import type { GraphFile, Span } from './graph-file.js'
import { MAX_RANK } from './limits.js'
import { refusal } from './refusal.js'
import { type Known, readTensor } from './tensor.js'

/** A node of a graph, without what only matters when it runs. */
export interface Node {
  type: string
  domain: string
  /** Which of the functions of that name it calls, where there are several. */
  overload: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes: ReadonlyMap<string, Attribute>
}

export interface Attribute {
  /** A number, several, or those of a tensor. */
  known: Known | null
  /** A text; '' where it is none. */
  text: string
  /** Which attribute of the call of the function around it it is; '' where it is its own. */
  from: string
  /** Graphs within the node. */
  graphs: readonly Span[]
}

/** Fields of NodeProto, AttributeProto and SparseTensorProto. */
const NODE = { input: 1, output: 2, type: 4, attribute: 5, domain: 7, overload: 8 } as const
const ATTRIBUTE = {
  name: 1,
  float: 2,
  int: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  tensors: 10,
  graphs: 11,
  from: 21,
} as const
const ATTRIBUTE_SPARSE = [22, 23]
const SPARSE = { values: 1, indices: 2, dims: 3 } as const
/** Most inputs, outputs, attributes, and numbers of an attribute that are kept. */
const MAX_PARTS = 10_000
const MAX_VALUES = 64
/** Longest text of an attribute that is kept, in bytes. */
const MAX_TEXT = 2 ** 12

export function readNode(file: GraphFile, span: Span): Node {
  const node = { type: '', domain: '', overload: '', inputs: [] as string[], outputs: [] as string[] }
  const attributes = new Map<string, Attribute>()
  let parts = 0
  for (const field of file.fields(span)) {
    parts += 1
    if (parts > MAX_PARTS) throw refusal(file.path, `a node ${node.type} has more than ${MAX_PARTS} inputs and outputs`)
    if (field.number === NODE.input) node.inputs.push(file.text(field))
    else if (field.number === NODE.output) node.outputs.push(file.text(field))
    else if (field.number === NODE.type) node.type = file.text(field)
    else if (field.number === NODE.domain) node.domain = file.text(field)
    else if (field.number === NODE.overload) node.overload = file.text(field)
    else if (field.number === NODE.attribute) attributes.set(...readAttribute(file, field))
  }
  return { ...node, attributes }
}

export function readAttribute(file: GraphFile, span: Span): [name: string, attribute: Attribute] {
  let [name, text, from] = ['', '', '']
  let known: Known | null = null
  const numbers: number[] = []
  const graphs: Span[] = []
  let isFloat = false
  for (const field of file.fields(span)) {
    const { number } = field
    if (number === ATTRIBUTE.name) name = file.text(field)
    else if (number === ATTRIBUTE.from) from = file.text(field)
    // longer texts, as those of scripts, say nothing of sizes
    else if (number === ATTRIBUTE.text && field.end - field.start <= MAX_TEXT) text = file.text(field)
    else if (number === ATTRIBUTE.tensor || number === ATTRIBUTE.tensors) known = readTensor(file, field)
    else if (ATTRIBUTE_SPARSE.includes(number)) known = readSparse(file, field)
    else if (number === ATTRIBUTE.graph || number === ATTRIBUTE.graphs) graphs.push(field)
    else if (number === ATTRIBUTE.int) known = { dims: [], values: [field.value] }
    else if (number === ATTRIBUTE.float) known = { dims: [], values: floats(file, field).slice(0, 1), isFloat: true }
    else if (number === ATTRIBUTE.ints)
      for (const value of file.varints(field)) {
        if (numbers.length < MAX_VALUES) numbers.push(value)
        else break
      }
    else if (number === ATTRIBUTE.floats && numbers.length < MAX_VALUES) {
      numbers.push(...floats(file, field))
      isFloat = true
    }
  }
  if (numbers.length > 0) known = { dims: [numbers.length], values: numbers, isFloat }
  return [name, { known, text, from, graphs }]
}

function floats(file: GraphFile, { start, end }: Span): number[] {
  const bytes = file.bytes({ start, end: Math.min(end, start + 4 * MAX_VALUES) })
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readFloatLE(4 * i))
}

/** A sparse tensor, which takes its whole size as soon as it is loaded. */
export function readSparse(file: GraphFile, span: Span): Known & { name: string } {
  const dims: number[] = []
  let name = ''
  for (const field of file.fields(span)) {
    if (field.number === SPARSE.values) name = readTensor(file, field).name
    else if (field.number === SPARSE.indices) readTensor(file, field)
    else if (field.number === SPARSE.dims)
      for (const size of file.varints(field))
        if (dims.push(size) > MAX_RANK) throw refusal(file.path, `a sparse weight has more than ${MAX_RANK} dims`)
  }
  return { name, dims, values: null }
}
