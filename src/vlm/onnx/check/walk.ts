import {
  MAX_DEPTH,
  MAX_NODES,
  MAX_NUMBERS,
  MAX_NUMBERS_TOGETHER,
  MAX_RANK,
  MAX_TRIPS,
  NUMBERS_PER_BYTE,
} from './limits.js'
import { tripsOf } from './loops.js'
import type { Attribute, Node } from './node.js'
import { type Body, keyOf, type ModelFile, type Step, tooDeep, tooManyNodes } from './read.js'
import { refusal } from './refusal.js'
import { outputsOf } from './rules/outputs.js'
import { type Inputs, productOf } from './rules/rule.js'
import type { Known } from './tensor.js'

/** A condition that holds. */
const HOLDS: Known = { dims: [], values: [1] }

/** What is known of the names of a graph. A graph within it sees them too. */
class Scope {
  readonly #known = new Map<string, Known>()
  /** @param attributes Of the call of the function that this is within. */
  constructor(
    private readonly outer: Scope | null,
    private readonly weights: ReadonlyMap<string, Known>,
    readonly attributes: ReadonlyMap<string, Attribute>,
  ) {}
  get(name: string): Known | null {
    return this.#known.get(name) ?? this.weights.get(name) ?? this.outer?.get(name) ?? null
  }
  set(name: string | undefined, known: Known | null | undefined): void {
    if (name && known) this.#known.set(name, known)
  }
}

/** What a graph or a function will take. */
interface Cost {
  /** Runs of the body of the loop within it that runs most often, those of the loops around it multiplied. */
  trips: number
  /** What is known of its outputs, in their order. */
  outputs: readonly (Known | null)[]
}

/** Goes through a model, and stops where it would take more than any real one. */
export class Walk {
  readonly #called = new Set<string>()
  /** The functions in which the walk is now. */
  readonly #within = new Set<string>()
  /** Numbers that constants make together. */
  #numbers = 0
  /** Nodes so far, those of each call of a function included. */
  #nodes = 0

  constructor(private readonly file: ModelFile) {}

  /** @throws CropVlmError invalid_model */
  model(): void {
    const { main, functions, sparse } = this.file
    for (const weight of sparse) this.#count(`the sparse weight ${weight.name}`, weight, [])
    this.#run(main, new Scope(null, main.weights, new Map()), 0, [])
    for (const key of functions.keys()) if (!this.#called.has(key)) this.#call(key, [], new Map(), 0)
  }

  #call(key: string, bound: Inputs, attributes: ReadonlyMap<string, Attribute>, depth: number): Cost | null {
    const body = this.file.functions.get(key)
    if (!body) return null
    if (this.#within.has(key)) throw this.#refusal(`the function ${body.name} calls itself`)
    this.#called.add(key)
    this.#within.add(key)
    const given = new Map([...body.defaults, ...attributes])
    const cost = this.#run(body, new Scope(null, body.weights, given), depth, bound)
    this.#within.delete(key)
    return cost
  }

  /** @param bound What is known of its inputs, in their order. */
  #run({ steps, inputs, outputs }: Body, scope: Scope, depth: number, bound: Inputs): Cost {
    if (depth > MAX_DEPTH) throw tooDeep(this.file.file.path)
    this.#nodes += steps.length
    if (this.#nodes > MAX_NODES) throw tooManyNodes(this.file.file.path)
    for (const [i, name] of inputs.entries()) scope.set(name, bound[i])
    let trips = 1
    for (const step of steps) trips = Math.max(trips, this.#take(step, scope, depth))
    return { trips, outputs: outputs.map(name => scope.get(name)) }
  }

  /** @returns the trips of the loop within it that runs most often, 1 without one */
  #take({ node: given, inner }: Step, scope: Scope, depth: number): number {
    const node = resolved(given, scope.attributes)
    const inputs = node.inputs.map(name => (name === '' ? undefined : scope.get(name)))
    const { domain, type: name, overload } = node
    const called = this.#call(keyOf({ domain, name, overload }), inputs, node.attributes, depth + 1)
    let trips = called?.trips ?? 1
    for (const [i, known] of (called?.outputs ?? outputsOf(node, inputs)).entries()) {
      if (known && node.type !== 'Constant') this.#count(node.type, known, inputs)
      scope.set(node.outputs[i], known)
    }
    const isLoop = node.type === 'Loop'
    for (const { name, body } of inner) {
      const within = new Scope(scope, body.weights, scope.attributes)
      const found = this.#run(body, within, depth + 1, isLoop ? [null, HOLDS] : [])
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
      this.#count('what a Loop puts together', { dims: [trips, ...(part?.dims ?? [])], values: null }, [null])
    return trips
  }

  /** @param what As in "ConstantOfShape", which makes these numbers. */
  #count(what: string, { dims }: Known, inputs: Inputs): void {
    if (dims.length > MAX_RANK) throw this.#refusal(`${what} makes a tensor of ${dims.length} dims`)
    const numbers = productOf(dims)
    const most = Math.max(MAX_NUMBERS, NUMBERS_PER_BYTE * this.file.bytes)
    if (!(numbers <= most))
      throw this.#refusal(`${what} makes at least ${numbers} numbers of constants, and ${most} at most are made`)
    if (inputs.some(input => input === null)) return
    this.#numbers += numbers
    const mostTogether = Math.max(MAX_NUMBERS_TOGETHER, NUMBERS_PER_BYTE ** 2 * this.file.bytes)
    if (this.#numbers > mostTogether)
      throw this.#refusal(
        `its constants make at least ${this.#numbers} numbers together, and ${mostTogether} at most are made`,
      )
  }

  #refusal(why: string) {
    return refusal(this.file.file.path, why)
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
