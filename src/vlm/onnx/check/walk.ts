import type { FileField, GraphFile, Span } from './graph-file.js'
import { MAX_DEPTH, MAX_NODES, MAX_NUMBERS, MAX_NUMBERS_TOGETHER, MAX_TRIPS, NUMBERS_PER_BYTE } from './limits.js'
import { type Body, tripsOf } from './loops.js'
import { type Node, readNode, readSparse } from './node.js'
import { refusal } from './refusal.js'
import { countOf, outputOf } from './sizes.js'
import { type Known, readTensor } from './tensor.js'

/** Fields of ModelProto, GraphProto, FunctionProto and ValueInfoProto. */
const MODEL = { graph: 7, functions: 25 } as const
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 } as const
const FUNCTION = { name: 1, node: 7, domain: 10, overload: 13 } as const
const VALUE_NAME = 1

/** What a graph or a function will take. */
interface Cost {
  nodes: number
  /** Runs of the body of the loop within it that runs most often, those of the loops around it multiplied. */
  trips: number
}

/** What is known of the names of a graph. A graph within it sees them too. */
class Scope {
  readonly #known = new Map<string, Known>()
  constructor(private readonly outer: Scope | null) {}
  get(name: string): Known | null {
    return this.#known.get(name) ?? this.outer?.get(name) ?? null
  }
  set(name: string, known: Known): void {
    this.#known.set(name, known)
  }
}

/** Goes through a model, and stops where it would take more than any real one. @throws CropVlmError invalid_model */
export class Walk {
  /** What the functions of the model take; null while that is being found out. */
  readonly #costs = new Map<string, Cost | null>()
  readonly #functions = new Map<string, { name: string; span: Span }>()
  /** Bytes of all weights, in this file and beside it. */
  #bytes = 0
  /** Numbers that constants make together. */
  #numbers = 0
  #nodes = 0

  constructor(private readonly file: GraphFile) {}

  model(): void {
    const graphs: FileField[] = []
    for (const field of this.file.fields(this.file.whole)) {
      if (field.number === MODEL.graph) graphs.push(field)
      else if (field.number === MODEL.functions) this.#addFunction(field)
    }
    const [main] = graphs
    if (!main || graphs.length > 1) throw this.#refusal(`it has ${graphs.length} graphs`)
    this.#graph(main, GRAPH.node, null, 0)
    for (const key of this.#functions.keys()) this.#functionCost(key, 0)
  }

  #addFunction(span: Span): void {
    const names = { name: '', domain: '', overload: '' }
    for (const field of this.file.fields(span))
      for (const key of ['name', 'domain', 'overload'] as const)
        if (field.number === FUNCTION[key]) names[key] = this.file.text(field)
    this.#functions.set(keyOf(names.domain, names.name, names.overload), { name: names.name, span })
  }

  #graph(span: Span, nodeField: number, outer: Scope | null, depth: number): Cost & { body: Body } {
    if (depth > MAX_DEPTH) throw this.#refusal(`it has graphs within graphs more than ${MAX_DEPTH} deep`)
    const scope = new Scope(outer)
    const copies = new Map<string, string>()
    const body = { inputs: [] as string[], outputs: [] as string[], copies, known: (name: string) => scope.get(name) }
    const nodes: Node[] = []
    const isFunction = nodeField === FUNCTION.node
    for (const field of this.file.fields(span)) {
      if (field.number === nodeField) nodes.push(this.#node(field))
      else if (isFunction) continue
      else if (field.number === GRAPH.initializer) this.#weight(readTensor(this.file, field), scope)
      else if (field.number === GRAPH.sparse) {
        const sparse = readSparse(this.file, field)
        this.#count(`the sparse weight ${sparse.name}`, sparse, [])
        scope.set(sparse.name, sparse)
      } else if (field.number === GRAPH.input) body.inputs.push(this.#nameOf(field))
      else if (field.number === GRAPH.output) body.outputs.push(this.#nameOf(field))
    }
    // constants first: nodes may stand in any order
    nodes.sort((a, b) => Number(b.type === 'Constant') - Number(a.type === 'Constant'))
    const cost = { nodes: nodes.length, trips: 1 }
    for (const node of nodes) this.#take(node, scope, depth, cost, copies)
    return { ...cost, body }
  }

  #node(field: Span): Node {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw this.#tooManyNodes()
    return readNode(this.file, field)
  }

  #take(node: Node, scope: Scope, depth: number, cost: Cost, copies: Map<string, string>): void {
    const inputs = node.inputs.map(name => (name === '' ? undefined : scope.get(name)))
    const [output] = node.outputs
    const known = outputOf(node, inputs)
    if (known && output !== undefined) {
      if (node.type !== 'Constant') this.#count(node.type, known, inputs)
      scope.set(output, known)
    }
    if ((node.type === 'Identity' || node.type === 'Cast') && output !== undefined)
      copies.set(output, node.inputs[0] ?? '')
    for (const { graphs } of node.attributes.values())
      for (const inner of graphs) {
        const { nodes, trips, body } = this.#graph(inner, GRAPH.node, scope, depth + 1)
        cost.nodes += nodes
        cost.trips = Math.max(cost.trips, trips * (node.type === 'Loop' ? this.#trips(node, inputs, body, trips) : 1))
      }
    const key = keyOf(node.domain, node.type, node.overload)
    if (this.#functions.has(key)) {
      const { nodes, trips } = this.#functionCost(key, depth)
      cost.nodes += nodes
      cost.trips = Math.max(cost.trips, trips)
    }
    if (cost.nodes > MAX_NODES) throw this.#tooManyNodes()
  }

  /** How often a Loop runs its body. */
  #trips(node: Node, inputs: readonly (Known | null | undefined)[], body: Body, within: number): number {
    const trips = tripsOf(node, inputs, body)
    if (trips === Number.POSITIVE_INFINITY) throw this.#refusal('a Loop never ends')
    if (trips * within <= MAX_TRIPS) return trips
    const all = BigInt(trips) * BigInt(within)
    throw this.#refusal(
      `${within === 1 ? 'a Loop runs' : 'Loops within Loops run'} ${all} times, and ${MAX_TRIPS} times at most are run`,
    )
  }

  #functionCost(key: string, depth: number): Cost {
    const known = this.#costs.get(key)
    if (known) return known
    const { name, span } = this.#functions.get(key) as { name: string; span: Span }
    if (known === null) throw this.#refusal(`the function ${name} calls itself`)
    this.#costs.set(key, null)
    const { nodes, trips } = this.#graph(span, FUNCTION.node, null, depth + 1)
    this.#costs.set(key, { nodes, trips })
    return { nodes, trips }
  }

  #weight(tensor: ReturnType<typeof readTensor>, scope: Scope): void {
    this.#bytes += tensor.bytes
    scope.set(tensor.name, tensor)
  }

  /** @param what As in "ConstantOfShape", which makes these numbers. */
  #count(what: string, known: Known, inputs: readonly (Known | null | undefined)[]): void {
    const numbers = countOf(known)
    const most = Math.max(MAX_NUMBERS, NUMBERS_PER_BYTE * this.#bytes)
    if (!(numbers <= most))
      throw this.#refusal(`${what} makes at least ${numbers} numbers of constants, and ${most} at most are made`)
    if (inputs.some(input => input === null)) return
    this.#numbers += numbers
    const mostTogether = Math.max(MAX_NUMBERS_TOGETHER, NUMBERS_PER_BYTE ** 2 * this.#bytes)
    if (this.#numbers > mostTogether)
      throw this.#refusal(
        `its constants make at least ${this.#numbers} numbers together, and ${mostTogether} at most are made`,
      )
  }

  #nameOf(value: Span): string {
    for (const field of this.file.fields(value)) if (field.number === VALUE_NAME) return this.file.text(field)
    return ''
  }

  #tooManyNodes() {
    return this.#refusal(`it has more than ${MAX_NODES} nodes`)
  }

  #refusal(why: string) {
    return refusal(this.file.path, why)
  }
}

function keyOf(...names: string[]): string {
  return names.join('\n')
}
