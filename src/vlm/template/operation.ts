/** Which nodes of a template's tree are the operands of which operation. */
import type { Value } from './weight.js'

/** A node of the tree that @huggingface/jinja makes of a template. */
export interface Node {
  type: string
}

/** What a node's own nodes are evaluated for. */
export interface Operation {
  /** Of a filter or a method; null where it is known only when it is called. */
  name: string | null
  /** Whether it can make much of little at one go. */
  multiplies: boolean
  /** What it is applied to: one node, or the statements of a block. */
  on: readonly Node[]
  args: readonly Node[]
  /** The node that stands for a method that is called. */
  method: Node | null
  /** Of the nodes that have been evaluated. */
  values: Map<Node, Value>
}

/** Filters and methods of version 0.5.11 of the library that can make much of little at one go. */
const MULTIPLYING: ReadonlySet<string> = new Set(['replace', 'split', 'indent', 'join', 'tojson'])

// The nodes that are looked into, of which the library exports no types.
interface Identifier extends Node {
  value: string
}
interface Member extends Node {
  object: Node
  property: Identifier
  computed: boolean
}
interface Argument extends Node {
  value: Node
  argument: Node
}
interface Call extends Node {
  callee: Node
  args: readonly Argument[]
}
interface Filtered extends Node {
  filter: Identifier | (Call & { callee: Identifier })
  operand: Node
  body: readonly Node[]
}
interface SetNode extends Node {
  value: Node | null
  body: readonly Node[]
}

/** null: a node whose own nodes are of no interest. */
export function operationOf(node: Node | undefined): Operation | null {
  switch (node?.type) {
    case 'CallExpression':
      return callOf(node as Call)
    case 'FilterExpression':
      return filterOf(node as Filtered, [(node as Filtered).operand])
    case 'FilterStatement':
      return filterOf(node as Filtered, (node as Filtered).body)
    case 'MemberExpression':
      return operation('', [(node as Member).object])
    case 'Set': {
      const { value, body } = node as SetNode
      return value === null ? operation('', body) : null
    }
    default:
      return null
  }
}

/** Whether a member is a part of a text or a list, which is made anew. */
export function isSlice(node: Node): boolean {
  return (node as Member).property.type === 'SliceExpression'
}

function callOf({ callee, args }: Call): Operation | null {
  if (callee.type !== 'MemberExpression') return null
  const { object, property, computed } = callee as Member
  return operation(computed ? null : property.value, [object], args, callee)
}

function filterOf({ filter }: Filtered, on: readonly Node[]): Operation {
  return 'args' in filter ? operation(filter.callee.value, on, filter.args) : operation(filter.value, on)
}

function operation(
  known: string | null,
  on: readonly Node[],
  args: readonly Argument[] = [],
  method: Node | null = null,
): Operation {
  // what is unpacked has no places of its own
  const name = args.some(isUnpacked) ? null : known
  const multiplies = name === null || MULTIPLYING.has(name)
  return { name, multiplies, on, args: args.map(evaluated), method, values: new Map() }
}

function isUnpacked({ type }: Argument): boolean {
  return type === 'SpreadExpression' || type === 'KeywordSpreadExpression'
}

/** The node of an argument that is evaluated. */
function evaluated(argument: Argument): Node {
  if (isUnpacked(argument)) return argument.argument
  return argument.type === 'KeywordArgumentExpression' ? argument.value : argument
}
