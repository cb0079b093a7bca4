import type { FileField, GraphFile, Span } from './graph-file.js'
import { MAX_DEPTH, MAX_NODES, MAX_NUMBERS, MAX_NUMBERS_TOGETHER, MAX_TRIPS, NUMBERS_PER_BYTE } from './limits.js'
import { tripsOf } from './loops.js'
import { type Attribute, type Node, readNode, readSparse } from './node.js'
import { inOrder } from './order.js'
import { refusal } from './refusal.js'
import { outputsOf } from './rules/outputs.js'
import { type Inputs, productOf } from './rules/rule.js'
import { type Known, readTensor } from './tensor.js'

/** Fields of ModelProto, GraphProto, FunctionProto and ValueInfoProto. */
const MODEL = { graph: 7, functions: 25 } as const
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 } as const
const FUNCTION = { name: 1, input: 4, output: 5, node: 7, domain: 10, overload: 13 } as const
const VALUE_NAME = 1

/** A condition that holds. */
const HOLDS: Known = { dims: [], values: [1] }

/** What is known of the names of a graph. A graph within it sees them too. */
class Scope {
  readonly #known = new Map<string, Known>()
  /** @param attributes Of the call of the function that this is within. */
  constructor(
    private readonly outer: Scope | null,
    readonly attributes: ReadonlyMap<string, Attribute>,
  ) {}
  get(name: string): Known | null {
    return this.#known.get(name) ?? this.outer?.get(name) ?? null
  }
  set(name: string | undefined, known: Known | null | undefined): void {
    if (name && known) this.#known.set(name, known)
  }
}

/** The nodes of a graph or a function in order, and the names of what goes in and out. */
interface Body {
  nodes: readonly Node[]
  inputs: readonly string[]
  outputs: readonly string[]
}

/** What a graph or a function will take. */
interface Cost {
  /** Runs of the body of the loop within it that runs most often, those of the loops around it multiplied. */
  trips: number
  /** What is known of its outputs, in their order. */
  outputs: readonly (Known | null)[]
}

const NO_ATTRIBUTES: ReadonlyMap<string, Attribute> = new Map()

/** Goes through a model, and stops where it would take more than any real one. @throws CropVlmError invalid_model */
export class Walk {
  readonly #functions = new Map<string, { name: string; span: Span }>()
  /** Those that have been called, and those in which the walk is now. */
  readonly #bodies = new Map<string, Body>()
  readonly #within = new Set<string>()
  /** Bytes of all weights, in this file and beside it. */
  #bytes = 0
  /** Numbers that constants make together. */
  #numbers = 0
  /** Nodes so far, those of each call of a function included. */
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
    this.#graph(main, new Scope(null, NO_ATTRIBUTES), 0)
    for (const key of this.#functions.keys()) if (!this.#bodies.has(key)) this.#call(key, [], NO_ATTRIBUTES, 0)
  }

  #addFunction(span: Span): void {
    const names = { name: '', domain: '', overload: '' }
    for (const field of this.file.fields(span))
      for (const key of ['name', 'domain', 'overload'] as const)
        if (field.number === FUNCTION[key]) names[key] = this.file.text(field)
    this.#functions.set(keyOf(names.domain, names.name, names.overload), { name: names.name, span })
  }

  /** @param bound What is known of its inputs, in their order. */
  #graph(span: Span, scope: Scope, depth: number, bound: Inputs = []): Cost {
    const nodes: Node[] = []
    const inputs: string[] = []
    const outputs: string[] = []
    for (const field of this.file.fields(span)) {
      if (field.number === GRAPH.node) nodes.push(this.#node(field))
      else if (field.number === GRAPH.initializer) {
        const tensor = readTensor(this.file, field)
        this.#bytes += tensor.bytes
        scope.set(tensor.name, tensor)
      } else if (field.number === GRAPH.sparse) {
        const sparse = readSparse(this.file, field)
        this.#count(`the sparse weight ${sparse.name}`, sparse, [])
        scope.set(sparse.name, sparse)
      } else if (field.number === GRAPH.input) inputs.push(this.#nameOf(field))
      else if (field.number === GRAPH.output) outputs.push(this.#nameOf(field))
    }
    return this.#run({ nodes: inOrder(nodes), inputs, outputs }, scope, depth, bound)
  }

  #call(key: string, bound: Inputs, attributes: ReadonlyMap<string, Attribute>, depth: number): Cost {
    const { name, span } = this.#functions.get(key) as { name: string; span: Span }
    if (this.#within.has(key)) throw this.#refusal(`the function ${name} calls itself`)
    const known = this.#bodies.get(key)
    const body = known ?? this.#function(span)
    if (known) this.#add(known.nodes.length)
    this.#bodies.set(key, body)
    this.#within.add(key)
    const cost = this.#run(body, new Scope(null, attributes), depth, bound)
    this.#within.delete(key)
    return cost
  }

  #function(span: Span): Body {
    const nodes: Node[] = []
    const inputs: string[] = []
    const outputs: string[] = []
    for (const field of this.file.fields(span)) {
      if (field.number === FUNCTION.node) nodes.push(this.#node(field))
      else if (field.number === FUNCTION.input) inputs.push(this.file.text(field))
      else if (field.number === FUNCTION.output) outputs.push(this.file.text(field))
    }
    return { nodes: inOrder(nodes), inputs, outputs }
  }

  #run({ nodes, inputs, outputs }: Body, scope: Scope, depth: number, bound: Inputs): Cost {
    if (depth > MAX_DEPTH) throw this.#refusal(`it has graphs within graphs more than ${MAX_DEPTH} deep`)
    for (const [i, name] of inputs.entries()) scope.set(name, bound[i])
    let trips = 1
    for (const node of nodes) trips = Math.max(trips, this.#take(resolved(node, scope.attributes), scope, depth))
    return { trips, outputs: outputs.map(name => scope.get(name)) }
  }

  #node(field: Span): Node {
    this.#add(1)
    return readNode(this.file, field)
  }

  #add(nodes: number): void {
    this.#nodes += nodes
    if (this.#nodes > MAX_NODES) throw this.#refusal(`it has more than ${MAX_NODES} nodes`)
  }

  /** @returns the trips of the loop within it that runs most often, 1 without one */
  #take(node: Node, scope: Scope, depth: number): number {
    const inputs = node.inputs.map(name => (name === '' ? undefined : scope.get(name)))
    const key = keyOf(node.domain, node.type, node.overload)
    const called = this.#functions.has(key) ? this.#call(key, inputs, node.attributes, depth + 1) : null
    let trips = called?.trips ?? 1
    for (const [i, known] of (called?.outputs ?? outputsOf(node, inputs)).entries()) {
      if (known && node.type !== 'Constant') this.#count(node.type, known, inputs)
      scope.set(node.outputs[i], known)
    }
    const inner = [...node.attributes].flatMap(([name, { graphs }]) => graphs.map(graph => ({ name, graph })))
    for (const { name, graph } of inner) {
      const isLoop = node.type === 'Loop'
      const found = this.#graph(graph, new Scope(scope, scope.attributes), depth + 1, isLoop ? [null, HOLDS] : [])
      trips = Math.max(trips, found.trips * (isLoop ? this.#trips(node, inputs, found) : 1))
      if (node.type === 'If' && isTaken(name, inputs[0]))
        for (const [i, known] of found.outputs.entries()) scope.set(node.outputs[i], known)
    }
    return trips
  }

  /** How often a Loop runs its body. */
  #trips(node: Node, inputs: Inputs, { trips: within, outputs }: Cost): number {
    const trips = tripsOf(node, inputs, outputs[0] ?? null)
    if (trips === Number.POSITIVE_INFINITY) throw this.#refusal('a Loop never ends')
    if (trips * within > MAX_TRIPS) {
      const all = BigInt(trips) * BigInt(within)
      throw this.#refusal(
        `${within === 1 ? 'a Loop runs' : 'Loops within Loops run'} ${all} times, and ${MAX_TRIPS} times at most are run`,
      )
    }
    // behind the condition and what is handed on, each run adds a part to the other outputs
    for (const part of outputs.slice(node.inputs.length - 1))
      this.#count('the parts that a Loop puts together', { dims: [trips, ...(part?.dims ?? [])], values: null }, [null])
    return trips
  }

  /** @param what As in "ConstantOfShape", which makes these numbers. */
  #count(what: string, { dims }: Known, inputs: Inputs): void {
    const numbers = productOf(dims)
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

  #refusal(why: string) {
    return refusal(this.file.path, why)
  }
}

/** The node with the attributes that it takes from the call of the function around it. */
function resolved(node: Node, attributes: ReadonlyMap<string, Attribute>): Node {
  if (attributes.size === 0) return node
  const entries = [...node.attributes].map(([name, own]) => [name, attributes.get(own.from) ?? own] as const)
  return { ...node, attributes: new Map(entries) }
}

/** Whether a branch of an If is known to be the one whose outputs it has. */
function isTaken(branch: string, condition: Known | null | undefined): boolean {
  const holds = condition?.values?.[0]
  return holds !== undefined && (holds !== 0) === (branch === 'then_branch')
}

function keyOf(...names: string[]): string {
  return names.join('\n')
}
