import { type Environment, Interpreter } from '@huggingface/jinja'
import { isSlice, type Node, type Operation, operationOf } from './operation.js'
import { ENTRY, Scales, type Value } from './weight.js'

/** As the library declares it, in files that TypeScript does not find: they import one another without an extension. */
const LibraryInterpreter = Interpreter as new (
  environment: Environment,
) => {
  run(program: unknown): Value
  evaluate(node: Node | undefined, environment: Environment): Value
}

/** Letters that a template may make for one prompt, by all its expressions together: real ones make some thousands. */
const MAX_LETTERS = 2 ** 22
/** So many more for each letter of the user's text. */
const LETTERS_PER_LETTER = 64
/** Using one method of a text makes all its methods, which are kept with it: about 3 KB. */
const LOOK_UP = 256

/**
 * Ends a template that makes too much: a text or a list that is doubled 25 times fills gigabytes within a second, and V8 could
 * only end the whole process for it. Counted are the letters of each text and the entries of each list that an expression
 * makes (`Scales`); what could make much of little at one go is ended before it begins.
 */
export class BoundedInterpreter extends LibraryInterpreter {
  readonly #scales = new Scales()
  readonly #most: number
  #made = 0
  /** What is being evaluated around a node. */
  #outer: Operation | null = null

  /** @param textLength Letters of the user's text. */
  constructor(environment: Environment, textLength: number) {
    super(environment)
    this.#most = MAX_LETTERS + LETTERS_PER_LETTER * textLength
  }

  /** @throws Error too much was made, or would be */
  override evaluate(node: Node | undefined, environment: Environment): Value {
    const outer = this.#outer
    // the text whose method is called is an operand of the call
    const isMethod = node !== undefined && node === outer?.method
    const own = isMethod ? outer : operationOf(node)
    this.#outer = own
    try {
      const value = super.evaluate(node, environment)
      if (node !== undefined) this.#count(this.#madeBy(node, value, own, isMethod))
      if (outer && node !== undefined) this.#give(outer, node, value)
      return value
    } finally {
      this.#outer = outer
    }
  }

  /** Letters that a node has made. */
  #madeBy(node: Node, value: Value, own: Operation | null, isMethod: boolean): number {
    switch (node.type) {
      case 'Identifier':
      case 'StringLiteral':
        return 0
      case 'Set':
        return own ? this.#operand(own) : 0
      case 'MemberExpression':
        if (isSlice(node)) break
        if (value.type === 'FunctionValue' && !isMethod && own && this.#hasText(own))
          throw new Error('the chat template names a method of a text without calling it, which is not supported')
        return LOOK_UP
      case 'FilterExpression':
        return LOOK_UP + this.#scales.weigh(value).letters
    }
    return this.#scales.weigh(value).letters
  }

  #give(outer: Operation, node: Node, value: Value): void {
    outer.values.set(node, value)
    this.#check(this.#made + this.#foresee(outer))
  }

  /** Letters that an operation will make at most, of the operands that are known. */
  #foresee(operation: Operation): number {
    if (!operation.multiplies) return 0
    const sizes = operation.args.map(arg => this.#size(operation.values.get(arg)))
    const operand = this.#operand(operation)
    const [first = 1, second = 1] = sizes
    if (operation.name === 'replace') return operand + (operand / first) * second
    if (operation.name === 'split') return (ENTRY * operand) / first
    return sizes.reduce((product, size) => product * size, operand)
  }

  #operand({ on, values }: Operation): number {
    return on.reduce<number>((sum, node) => sum + this.#size(values.get(node)), 0)
  }

  /** 1 at least. */
  #size(value: Value | undefined): number {
    if (value === undefined) return 1
    if (value.type === 'IntegerValue') return Math.max(1, Math.abs(value.value as number))
    const { letters, depth } = this.#scales.weigh(value)
    return Math.max(1, letters * Math.max(1, depth))
  }

  #hasText({ on, values }: Operation): boolean {
    return on.some(node => values.get(node)?.type === 'StringValue')
  }

  #count(letters: number): void {
    this.#made += letters
    this.#check(this.#made)
  }

  #check(letters: number): void {
    if (!(letters <= this.#most))
      throw new Error(`the chat template makes more than ${this.#most} letters; real ones make some thousands`)
  }
}
