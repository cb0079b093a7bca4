import type { FileField, GraphFile, Span } from './graph-file.js'
import { MAX_DEPTH, MAX_NODES } from './limits.js'
import { type Attribute, type Node, readAttribute, readNode, readSparse } from './node.js'
import { inOrder } from './order.js'
import { refusal } from './refusal.js'
import { type Known, readTensor } from './tensor.js'

/** Fields of ModelProto, GraphProto, FunctionProto and ValueInfoProto. */
const MODEL = { graph: 7, functions: 25 } as const
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 } as const
const FUNCTION = { name: 1, input: 4, output: 5, node: 7, domain: 10, defaults: 11, overload: 13 } as const
const VALUE_NAME = 1

/** A node with the graphs within it, by the names of their attributes. */
export interface Step {
  node: Node
  inner: readonly { name: string; body: Body }[]
  outputs: readonly string[]
  /** The names that it reads, those that its inner graphs take from around them included. */
  reads: readonly string[]
}

/** A graph or a function. */
export interface Body {
  /** In an order in which each step comes behind those that make what it reads. */
  steps: readonly Step[]
  inputs: readonly string[]
  outputs: readonly string[]
  /** Its weights, by name. */
  weights: ReadonlyMap<string, Known>
  /** Of a function, the attributes of its calls that are given to those without them. */
  defaults: ReadonlyMap<string, Attribute>
}

export interface FunctionBody extends Body {
  name: string
}

/** What a file holds. Each node is read once, however often its function is called. */
export class ModelFile {
  readonly main: Body
  /** By `keyOf`. */
  readonly functions: ReadonlyMap<string, FunctionBody>
  /** Bytes of all weights, in this file and beside it. */
  bytes = 0
  readonly sparse: (Known & { name: string })[] = []
  #nodes = 0

  /** @throws CropVlmError invalid_model */
  constructor(readonly file: GraphFile) {
    const graphs: FileField[] = []
    const functions = new Map<string, FunctionBody>()
    for (const field of file.fields(file.whole)) {
      if (field.number === MODEL.graph) graphs.push(field)
      else if (field.number === MODEL.functions) functions.set(...this.#function(field))
    }
    const [main] = graphs
    if (!main || graphs.length > 1) throw refusal(file.path, `it has ${graphs.length} graphs`)
    this.main = this.#graph(main, 0)
    this.functions = functions
  }

  #graph(span: Span, depth: number): Body {
    if (depth > MAX_DEPTH) throw tooDeep(this.file.path)
    const nodes: Span[] = []
    const [inputs, outputs]: [string[], string[]] = [[], []]
    const weights = new Map<string, Known>()
    for (const field of this.file.fields(span)) {
      if (field.number === GRAPH.node) nodes.push(this.#counted(field))
      else if (field.number === GRAPH.initializer) {
        const tensor = readTensor(this.file, field)
        this.bytes += tensor.bytes
        weights.set(tensor.name, tensor)
      } else if (field.number === GRAPH.sparse) {
        const sparse = readSparse(this.file, field)
        this.sparse.push(sparse)
        weights.set(sparse.name, sparse)
      } else if (field.number === GRAPH.input) inputs.push(this.#nameOf(field))
      else if (field.number === GRAPH.output) outputs.push(this.#nameOf(field))
    }
    return { steps: this.#steps(nodes, depth), inputs, outputs, weights, defaults: new Map() }
  }

  #function(span: Span): [key: string, body: FunctionBody] {
    const names = { name: '', domain: '', overload: '' }
    const nodes: Span[] = []
    const [inputs, outputs]: [string[], string[]] = [[], []]
    const defaults = new Map<string, Attribute>()
    for (const field of this.file.fields(span)) {
      for (const key of ['name', 'domain', 'overload'] as const)
        if (field.number === FUNCTION[key]) names[key] = this.file.text(field)
      if (field.number === FUNCTION.node) nodes.push(this.#counted(field))
      else if (field.number === FUNCTION.input) inputs.push(this.file.text(field))
      else if (field.number === FUNCTION.output) outputs.push(this.file.text(field))
      else if (field.number === FUNCTION.defaults) defaults.set(...readAttribute(this.file, field))
    }
    const body = { name: names.name, steps: this.#steps(nodes, 0), inputs, outputs, weights: new Map(), defaults }
    return [keyOf(names), body]
  }

  /** A node that is not read yet: too many of them are found before any takes time and memory. */
  #counted(node: Span): Span {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw tooManyNodes(this.file.path)
    return node
  }

  #steps(nodes: readonly Span[], depth: number): readonly Step[] {
    return inOrder(nodes.map(node => this.#step(node, depth)))
  }

  #step(field: Span, depth: number): Step {
    const node = readNode(this.file, field)
    const inner = [...node.attributes].flatMap(([name, { graphs }]) =>
      graphs.map(graph => ({ name, body: this.#graph(graph, depth + 1) })),
    )
    const reads = new Set(node.inputs)
    for (const { body } of inner) for (const step of body.steps) for (const name of step.reads) reads.add(name)
    return { node, inner, outputs: node.outputs, reads: [...reads] }
  }

  #nameOf(value: Span): string {
    for (const field of this.file.fields(value)) if (field.number === VALUE_NAME) return this.file.text(field)
    return ''
  }
}

/** What a node names a function by. */
export function keyOf({ domain, name, overload }: { domain: string; name: string; overload: string }): string {
  return [domain, name, overload].join('\n')
}

export const tooManyNodes = (path: string) => refusal(path, `it has more than ${MAX_NODES} nodes`)
export const tooDeep = (path: string) => refusal(path, `it has graphs within graphs more than ${MAX_DEPTH} deep`)
