/** What nodes make of numbers that are known: the few that shapes, counts and conditions are computed from. */
import type { Node } from '../node.js'
import { FLOATS, type Known } from '../tensor.js'
import { atLeast, attribute, broadcast, type Inputs, productOf, type Rule, size } from './rule.js'

/** Most numbers of a tensor that are followed. */
const MAX_VALUES = 64

/** A tensor with these numbers, or with as many that are not followed. */
function numbers(dims: readonly number[], values: () => readonly number[]): Known {
  return { dims, values: productOf(dims) <= MAX_VALUES ? values() : null }
}

/** A function of each number alone. */
export const unary =
  (compute: (a: number) => number): Rule =>
  ([input]) =>
    input ? { ...input, values: input.values?.map(compute) ?? null } : null

/** A function of two numbers or more, taken two at a time, of tensors that are broadcast to each other. */
export const pairwise =
  (compute: (a: number, b: number) => number): Rule =>
  inputs => {
    const known = allKnown(inputs)
    return known ? known.reduce((a, b) => paired(a, b, compute)) : null
  }

function paired(a: Known, b: Known, compute: (a: number, b: number) => number): Known {
  const isFloat = a.isFloat || b.isFloat || false
  return { ...together([a, b], i => compute(at(a, i), at(b, i))), isFloat }
}

/** Tensors broadcast to each other; their numbers where each has as many as the result, or one. */
function together(known: readonly Known[], compute: (i: number) => number): Known {
  const dims = known.map(one => one.dims).reduce(broadcast)
  const count = productOf(dims)
  const isListed = known.every(({ values }) => values && (values.length === 1 || values.length === count))
  return isListed ? numbers(dims, () => Array.from({ length: count }, (_, i) => compute(i))) : { dims, values: null }
}

/** A number of a list that is broadcast. */
const at = ({ values }: Known, i: number) => values?.[values.length === 1 ? 0 : i] ?? 0

/** Whole numbers are divided to whole ones. */
export const divided: Rule = ([a, b]) => {
  if (!a || !b) return null
  return paired(a, b, a.isFloat || b.isFloat ? (x, y) => x / y : (x, y) => Math.trunc(x / y))
}

export const shifted: Rule = ([a, b], node) => {
  const isRight = node.attributes.get('direction')?.text === 'RIGHT'
  return a && b ? paired(a, b, (x, y) => (isRight ? Math.floor(x / 2 ** y) : x * 2 ** y)) : null
}

/** A function of the bits of two whole numbers. */
export const bitwise = (compute: (a: bigint, b: bigint) => bigint): Rule =>
  pairwise((a, b) => (Number.isInteger(a) && Number.isInteger(b) ? Number(compute(BigInt(a), BigInt(b))) : Number.NaN))

/** TensorProto's type of what is true or false, and the bits of its whole numbers; below 0: of those with a sign. */
const BOOL = 9
const BITS: Readonly<Record<number, number>> = { 2: 8, 3: -8, 4: 16, 5: -16, 6: -32, 7: -64, 12: 32, 13: 64 }

export const cast: Rule = ([input], node) => {
  if (!input) return null
  const to = attribute(node, 'to')?.values?.[0] ?? 0
  const isFloat = FLOATS.includes(to)
  const values = input.values?.map(value =>
    to === BOOL ? Number(value !== 0) : isFloat ? value : whole(value, BITS[to]),
  )
  return { dims: input.dims, values: values ?? null, isFloat }
}

/** A number without its fraction, in so many bits. */
function whole(value: number, bits = -64): number {
  if (!Number.isFinite(value)) return Number.NaN
  const given = BigInt(Math.trunc(value))
  return Number(bits < 0 ? BigInt.asIntN(-bits, given) : BigInt.asUintN(bits, given))
}

export const where: Rule = inputs => {
  const [choice, yes, no] = allKnown(inputs) ?? []
  if (!choice || !yes || !no) return null
  return together([choice, yes, no], i => (at(choice, i) !== 0 ? at(yes, i) : at(no, i)))
}

export const constantOfShape: Rule = ([shape], node) => {
  const dims = shape?.values
  const fill = attribute(node, 'value')?.values?.[0] ?? 0
  return dims ? numbers(dims, () => Array.from({ length: productOf(dims) }, () => fill)) : null
}

export const range: Rule = ([from, to, by]) => {
  const [start, limit, step] = [from?.values?.[0], to?.values?.[0], by?.values?.[0]]
  if (start === undefined || limit === undefined || !step) return null
  const length = Math.max(0, Math.ceil((limit - start) / step))
  return numbers([length], () => Array.from({ length }, (_, i) => start + i * step))
}

export const concat: Rule = (inputs, node) => {
  const known = allKnown(inputs)
  const [first] = known ?? []
  if (!known || !first) return null
  const axis = axisOf(attribute(node, 'axis')?.values?.[0] ?? 0, first)
  const dims = first.dims.map((one, i) => (i === axis ? known.reduce((sum, input) => sum + atLeast(input, i), 0) : one))
  if (axis > 0 || !known.every(input => input.values)) return { dims, values: null }
  return numbers(dims, () => known.flatMap(input => input.values ?? []))
}

/** Numbers of a list; of other tensors, rows along an axis. */
export const gather: Rule = ([data, indices], node) => {
  if (!data || !indices) return null
  const axis = axisOf(attribute(node, 'axis')?.values?.[0] ?? 0, data)
  const dims = [...data.dims.slice(0, axis), ...indices.dims, ...data.dims.slice(axis + 1)]
  const { values } = data
  if (data.dims.length > 1 || !values || !indices.values) return size(dims)
  const chosen = indices.values.map(i => values[i < 0 ? i + values.length : i] ?? 0)
  return numbers(dims, () => chosen)
}

/** A part of a list; of other tensors nothing is known. */
export const slice: Rule = ([data, starts, ends, , steps], node) => {
  const start = given(starts, attribute(node, 'starts'))
  const end = given(ends, attribute(node, 'ends'))
  const step = given(steps, ONE)
  if (!data?.values || data.dims.length > 1) return null
  if (start === null || end === null || !step || ![start, end, step].every(Number.isInteger)) return null
  const { values } = data
  const last = values.length
  const inside = (i: number) => Math.min(step > 0 ? last : last - 1, Math.max(step > 0 ? 0 : -1, i < 0 ? i + last : i))
  const chosen: number[] = []
  for (let i = inside(start); step > 0 ? i < inside(end) : i > inside(end); i += step) chosen.push(values[i] ?? 0)
  return numbers([chosen.length], () => chosen)
}

const ONE: Known = { dims: [], values: [1] }

/** The first number of an input, or of what stands for it where it is left out; null: unknown. */
function given(input: Known | null | undefined, otherwise: Known | null | undefined): number | null {
  return (input === undefined ? otherwise : input)?.values?.[0] ?? null
}

/** The parts of a list, one for each output; of other tensors nothing is known. */
export function split([data, lengths]: Inputs, node: Node): (Known | null)[] {
  const values = data?.values
  if (!values || data.dims.length > 1 || lengths === null) return []
  const count = node.outputs.length
  const even = Math.ceil(values.length / count)
  const sizes = (lengths ?? attribute(node, 'split'))?.values ?? Array.from({ length: count }, () => even)
  let from = 0
  return sizes.map(length => {
    const part = values.slice(from, from + length)
    from += length
    return { dims: [part.length], values: part }
  })
}

/** A function of all numbers of a list. */
export const reduced =
  (compute: (values: readonly number[]) => number): Rule =>
  ([input, axes], node) => {
    if (!input?.values || input.values.length === 0 || input.dims.length > 1) return null
    const isNone = axes === undefined || axes?.values?.length === 0
    if (isNone && attribute(node, 'noop_with_empty_axes')?.values?.[0] === 1) return input
    const isKept = attribute(node, 'keepdims')?.values?.[0] !== 0
    return { dims: isKept ? input.dims.map(() => 1) : [], values: [compute(input.values)] }
  }

/** A number no less and no more than two others. */
export const clip: Rule = ([input, least, most], node) => {
  if (!input) return null
  const [low, high] = [given(least, attribute(node, 'min')), given(most, attribute(node, 'max'))]
  const isKnown = least !== null && most !== null
  const within = (value: number) => Math.min(Math.max(value, low ?? value), high ?? Number.POSITIVE_INFINITY)
  return { ...input, values: isKnown ? (input.values?.map(within) ?? null) : null }
}

/** Tensors that are broadcast to each other, whatever is made of them. */
export const elementwise: Rule = inputs =>
  size(
    allKnown(inputs)
      ?.map(({ dims }) => dims)
      .reduce(broadcast),
  )

/** What each number of a list and those before it make together. */
export const cumulated: Rule = ([input]) => {
  if (!input?.values || input.dims.length !== 1) return size(input?.dims)
  let sum = 0
  const sums = input.values.map(value => {
    sum += value
    return sum
  })
  return { dims: input.dims, values: sums }
}

/** The one number that a list is made of, as often as it is repeated. */
export function repeated(input: Known | null | undefined, dims: readonly number[]): Known {
  const values = input?.values
  if (values?.length !== 1) return { dims, values: null }
  return numbers(dims, () => Array.from({ length: productOf(dims) }, () => values[0] ?? 0))
}

function allKnown(inputs: Inputs): Known[] | null {
  const known = inputs.filter(input => input !== null && input !== undefined)
  return known.length < inputs.length || known.length === 0 ? null : known
}

const axisOf = (axis: number, { dims }: Known) => (axis < 0 ? axis + dims.length : axis)
