/**
 * How much a node will make, as far as its constants tell. ONNX Runtime runs what has constant inputs alone while it loads a
 * graph, so that a few bytes may take gigabytes. What is only known when the graph runs is unknown here.
 */
import type { Node } from './node.js'
import type { Known } from './tensor.js'

type Inputs = readonly (Known | null | undefined)[]
type Rule = (inputs: Inputs, node: Node) => Known | null

const MAX_VALUES = 64

const size = (dims: readonly number[] | null | undefined): Known | null => (dims ? { dims, values: null } : null)
const attribute = (node: Node, name: string) => node.attributes.get(name)?.known
/** Dims that are at least 1: a size that is unknown. */
const atLeast = (known: Known | null | undefined, i: number) => known?.dims[i] ?? 1

/** The dims of two tensors broadcast to each other, as in NumPy. */
function broadcast(one: readonly number[], other: readonly number[]): number[] {
  const rank = Math.max(one.length, other.length)
  const from = (dims: readonly number[], i: number) => dims[i - rank + dims.length] ?? 1
  return Array.from({ length: rank }, (_, i) => Math.max(from(one, i), from(other, i)))
}

/** The output has the shape that an input says. */
const shaped =
  (input: number): Rule =>
  inputs =>
    size(inputs[input]?.values)

const same: Rule = ([input]) => input ?? null

const elementwise: Rule = inputs => {
  const known = inputs.filter(input => input !== null && input !== undefined)
  if (known.length < inputs.length || known.length === 0) return null
  return size(known.map(({ dims }) => dims).reduce(broadcast))
}

/** The same for sums and products, whose values are wanted where shapes are computed. */
const arithmetic =
  (compute: (a: number, b: number) => number): Rule =>
  (inputs, node) => {
    const [a, b] = inputs
    const [some, others] = [a?.values, b?.values]
    if (!some || !others) return elementwise(inputs, node)
    const length = Math.max(some.length, others.length)
    const at = (values: readonly number[], i: number) => values[values.length === 1 ? 0 : i] ?? 0
    const values = Array.from({ length }, (_, i) => compute(at(some, i), at(others, i)))
    return { dims: broadcast(a?.dims ?? [], b?.dims ?? []), values }
  }

/** A shape is handled as a list of numbers: dims of 1 more or less do not matter. */
const listed: Rule = ([input]) => (input?.values ? { dims: [input.values.length], values: input.values } : null)

const concat: Rule = (inputs, node) => {
  const known = inputs.filter(input => input !== null && input !== undefined)
  const [first] = known
  if (!first || known.length < inputs.length) return null
  const axis = attribute(node, 'axis')?.values?.[0] ?? 0
  const at = axis < 0 ? axis + first.dims.length : axis
  const dims = first.dims.map((one, i) => (i === at ? known.reduce((sum, input) => sum + atLeast(input, i), 0) : one))
  const values = known.flatMap(input => input.values ?? [])
  const isShort = known.every(input => input.values) && values.length <= MAX_VALUES
  return { dims, values: isShort ? values : null }
}

const matmul: Rule = ([a, b]) => {
  if (!a || !b || a.dims.length < 2 || b.dims.length < 2) return null
  const outer = broadcast(a.dims.slice(0, -2), b.dims.slice(0, -2))
  return size([...outer, a.dims.at(-2) ?? 1, b.dims.at(-1) ?? 1])
}

const range: Rule = ([from, to, by]) => {
  const [start, limit, step] = [from?.values?.[0], to?.values?.[0], by?.values?.[0]]
  if (start === undefined || limit === undefined || !step) return null
  return size([Math.max(0, Math.ceil((limit - start) / step))])
}

const expand: Rule = ([input, shape]) => (shape?.values ? size(broadcast(input?.dims ?? [], shape.values)) : null)

const tile: Rule = ([input, repeats]) => size(repeats?.values?.map((times, i) => times * atLeast(input, i)))

const pad: Rule = ([input, given], node) => {
  const pads = (given ?? attribute(node, 'pads'))?.values
  const rank = (pads?.length ?? 0) / 2
  return size(pads?.slice(0, rank).map((before, i) => Math.max(1, atLeast(input, i) + before + (pads[i + rank] ?? 0))))
}

const scaled = (input: Known | null | undefined, scales: Known | null | undefined) =>
  size(scales?.values?.map((scale, i) => Math.floor(scale * atLeast(input, i))))

const resize: Rule = ([input, , scales, sizes]) => (sizes?.values?.length ? size(sizes.values) : scaled(input, scales))

const oneHot: Rule = ([indices, depth]) => size(depth?.values && [...(indices?.dims ?? []), depth.values[0] ?? 1])

const reshape: Rule = ([input, shape]) => {
  if (input?.values) return listed([input], NO_NODE)
  const count = input?.dims.reduce((product, dim) => product * dim, 1)
  return shape?.values?.every(dim => dim > 0) ? size(shape.values) : size(count === undefined ? null : [count])
}

const transpose: Rule = ([input], node) => {
  const order = attribute(node, 'perm')?.values ?? input?.dims.map((_, i) => i).reverse()
  return size(input && order?.map(axis => input.dims[axis] ?? 1))
}

const NO_NODE: Node = { type: '', domain: '', overload: '', inputs: [], outputs: [], attributes: new Map() }

const constant: Rule = (_, { attributes }) => {
  for (const name of ['value', 'value_int', 'value_ints', 'value_float', 'value_floats', 'sparse_value']) {
    const known = attributes.get(name)?.known
    if (known) return known
  }
  return null
}

const rules = (names: string, rule: Rule) => names.split(' ').map(name => [name, rule] as const)

const RULES: ReadonlyMap<string, Rule> = new Map([
  ['Constant', constant],
  ['ConstantOfShape', shaped(0)],
  ['RandomNormal', (_, node) => size(attribute(node, 'shape')?.values)],
  ['RandomUniform', (_, node) => size(attribute(node, 'shape')?.values)],
  ['HannWindow', shaped(0)],
  ['HammingWindow', shaped(0)],
  ['BlackmanWindow', shaped(0)],
  ['Expand', expand],
  ['Tile', tile],
  ['Range', range],
  ['Pad', pad],
  ['Resize', resize],
  ['Upsample', ([input, scales], node) => scaled(input, scales ?? attribute(node, 'scales'))],
  ['OneHot', oneHot],
  ['Concat', concat],
  ['MatMul', matmul],
  ['Reshape', reshape],
  ['Transpose', transpose],
  ['Add', arithmetic((a, b) => a + b)],
  ['Sub', arithmetic((a, b) => a - b)],
  ['Mul', arithmetic((a, b) => a * b)],
  ['Div', arithmetic((a, b) => Math.trunc(a / b))],
  ['Shape', ([input]) => (input ? { dims: [input.dims.length], values: input.dims } : null)],
  ...rules('Squeeze Unsqueeze', listed),
  ...rules('Identity Cast', same),
  ...rules('Abs Neg Not Sqrt Exp Log Sin Cos Tanh Sigmoid Relu Floor Ceil Round Sign EyeLike Trilu', ([input]) =>
    size(input?.dims),
  ),
  ...rules('Pow Min Max Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor Where Mod', elementwise),
])

/**
 * What the node's first output is known to be; null: nothing.
 * @param inputs What is known of its inputs, in their order.
 */
export function outputOf(node: Node, inputs: Inputs): Known | null {
  if (node.domain !== '' && node.domain !== 'ai.onnx') return null
  return RULES.get(node.type)?.(inputs, node) ?? null
}

/** How many numbers a tensor has. */
export function countOf({ dims }: Known): number {
  return dims.reduce((product, dim) => product * Math.max(0, dim), 1)
}
