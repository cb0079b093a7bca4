/** What graphs that mean harm are put together from. */
import { type Attribute, BOOL, bool, FLOAT, type GraphParts, graph, INT64, model, node, value } from './protobuf.js'

export const ENTRIES = 800_000_000

/** A model with one output `y`, and the one float input `x`. */
export const file = (
  { outputs = [value('y')], inputs = [value('x', FLOAT, ['n'])], ...parts }: GraphParts,
  functions?: Buffer[],
) => model(graph({ ...parts, inputs, outputs }), functions)

/** One node with constant inputs, of which a session folds the output. */
export const folded = (
  type: string,
  initializers: readonly Buffer[],
  inputs: string[],
  attributes: Record<string, Attribute> = {},
) => file({ initializers, nodes: [node(type, inputs, ['y'], attributes)] })

/** A body for Loop: it hands on its condition, or what `condition` makes of it. */
export const body = (nodes: readonly Buffer[] = [], condition = 'go') =>
  graph({
    nodes: [...nodes, node('Identity', ['state'], ['next'])],
    inputs: [value('i', INT64, []), value('go', BOOL, []), value('state')],
    outputs: [value(condition, BOOL, []), value('next')],
  })

export const loop = (trips: string, condition: string, bodyGraph: Buffer, state = 'x', output = 'y') =>
  node('Loop', [trips, condition, state], [output], { body: { graph: bodyGraph } })

/** A cube of nested loops: each level has `trips`. */
export const nested = (depth: number, trips: Buffer): Buffer =>
  depth === 0
    ? body([], 'go')
    : graph({
        initializers: [trips],
        nodes: [loop('m', 'go', nested(depth - 1, trips), 'state', 'next')],
        inputs: [value('i', INT64, []), value('go', BOOL, []), value('state')],
        outputs: [value('go', BOOL, []), value('next')],
      })

export const always = bool('always', true)

export type Hostile = Readonly<Record<string, { bytes: () => Buffer; refusal: RegExp }>>
