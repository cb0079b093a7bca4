/** How large a node's output will be, as far as its constants tell. */

import type { Known } from '../tensor.js'
import { atLeast, attribute, broadcast, productOf, type Rule, size } from './rule.js'
import { repeated } from './values.js'

/** The output has the shape that an input says. */
export const shaped =
  (input: number): Rule =>
  inputs =>
    size(inputs[input]?.values)

/** The output has the shape of an input. */
export const sized =
  (input: number): Rule =>
  inputs =>
    size(inputs[input]?.dims)

export const matmul: Rule = ([a, b]) => {
  if (!a || !b || a.dims.length < 2 || b.dims.length < 2) return null
  const outer = broadcast(a.dims.slice(0, -2), b.dims.slice(0, -2))
  return size([...outer, a.dims.at(-2) ?? 1, b.dims.at(-1) ?? 1])
}

export const gemm: Rule = ([a, b], node) => {
  if (!a || !b) return null
  const isTurned = (name: string) => attribute(node, name)?.values?.[0] === 1
  return size([atLeast(a, isTurned('transA') ? 1 : 0), atLeast(b, isTurned('transB') ? 0 : 1)])
}

/** The letters of an equation stand for dims, and "..." for those between them, which are broadcast. */
export const einsum: Rule = (inputs, node) => {
  const equation = (node.attributes.get('equation')?.text ?? '').replaceAll(' ', '')
  const [from = '', to] = equation.split('->')
  const dims = new Map<string, number>()
  const counts = new Map<string, number>()
  let between: readonly number[] = []
  const note = (letter: string, dim: number | undefined) => {
    dims.set(letter, Math.max(dims.get(letter) ?? 1, dim ?? 1))
    counts.set(letter, (counts.get(letter) ?? 0) + 1)
  }
  for (const [i, letters] of from.split(',').entries()) {
    const own = inputs[i]?.dims ?? []
    const [first = '', last] = letters.split('...')
    for (const [at, letter] of [...first].entries()) note(letter, own[at])
    for (const [at, letter] of [...(last ?? '')].entries()) note(letter, own.at(at - (last ?? '').length))
    if (last !== undefined) between = broadcast(between, own.slice(first.length, own.length - last.length))
  }
  // without an arrow, what stands there once is kept
  const kept = to ?? `...${[...counts].flatMap(([letter, count]) => (count === 1 ? [letter] : [])).join('')}`
  const [first = [], last] = kept.split('...').map(letters => [...letters].map(letter => dims.get(letter) ?? 1))
  return inputs.some(input => input) ? size([...first, ...(last ? [...between, ...last] : [])]) : null
}

/** The distances of the rows of one matrix from those of another (com.microsoft). */
export const distances: Rule = ([a, b]) => (a && b ? size([atLeast(a, 0), atLeast(b, 0)]) : null)

export const expand: Rule = ([input, shape]) =>
  shape?.values ? repeated(input, broadcast(input?.dims ?? [], shape.values)) : null

export const tile: Rule = ([input, repeats]) =>
  repeats?.values
    ? repeated(
        input,
        repeats.values.map((times, i) => times * atLeast(input, i)),
      )
    : null

/** The dims of an input, of which those of some axes (null: unknown ones; undefined: all) are made anew. */
function remade(
  input: Known | null | undefined,
  axes: readonly number[] | null | undefined,
  count: number,
  make: (dim: number, i: number) => number,
): Known | null {
  if (axes === null) return null
  const rank = input?.dims.length ?? count
  const dims = input ? [...input.dims] : Array.from({ length: rank }, () => 1)
  for (let i = 0; i < count; i++) {
    const axis = axes?.[i] ?? i
    const at = axis < 0 ? axis + rank : axis
    dims[at] = Math.max(0, make(dims[at] ?? 1, i))
  }
  return dims.length <= rank ? size(dims) : null
}

export const pad: Rule = ([input, given, , axes], node) => {
  const pads = (given ?? attribute(node, 'pads'))?.values
  const half = (pads?.length ?? 0) / 2
  const known = axes === undefined ? undefined : (axes?.values ?? null)
  return pads ? remade(input, known, half, (dim, i) => dim + (pads[i] ?? 0) + (pads[i + half] ?? 0)) : null
}

export const resize: Rule = (inputs, node) => {
  // up to opset 10 the scales are the second input
  const [input, , scales, sizes] = inputs.length === 2 ? [inputs[0], undefined, inputs[1]] : inputs
  const axes = attribute(node, 'axes')?.values ?? undefined
  if (sizes?.values?.length) return remade(input, axes, sizes.values.length, (_, i) => sizes.values?.[i] ?? 1)
  return scaled(input, scales, axes)
}

const scaled = (input: Known | null | undefined, scales: Known | null | undefined, axes?: readonly number[]) =>
  scales?.values
    ? remade(input, axes, scales.values.length, (dim, i) => Math.floor(dim * (scales.values?.[i] ?? 1)))
    : null

export const upsample: Rule = ([input, scales], node) => scaled(input, scales ?? attribute(node, 'scales'))

export const oneHot: Rule = ([indices, depth]) =>
  size(depth?.values && [...(indices?.dims ?? []), depth.values[0] ?? 1])

/** The same numbers in other dims: a dim of 0 is the input's, and one of -1 what is left. */
export const reshape: Rule = ([input, shape], node) => {
  const wanted = (shape ?? attribute(node, 'shape'))?.values?.map((dim, i) => (dim === 0 ? atLeast(input, i) : dim))
  if (!wanted) return null
  if (!input) return size(wanted.every(dim => dim > 0) ? wanted : null)
  const others = productOf(wanted.filter(dim => dim > 0))
  const left = others === 0 ? 0 : Math.floor(productOf(input.dims) / others)
  return { ...input, dims: wanted.map(dim => (dim > 0 ? dim : left)) }
}

/** Two dims: the product of those before an axis, and that of the others. */
export const flatten: Rule = ([input], node) => {
  if (!input) return null
  const axis = attribute(node, 'axis')?.values?.[0] ?? 1
  return { ...input, dims: [productOf(input.dims.slice(0, axis)), productOf(input.dims.slice(axis))] }
}

export const unsqueeze: Rule = ([input, given], node) => {
  const axes = (given === undefined ? attribute(node, 'axes') : given)?.values
  if (!input || !axes) return null
  const dims = [...input.dims]
  const rank = dims.length + axes.length
  for (const axis of axes.map(axis => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)) dims.splice(axis, 0, 1)
  return { ...input, dims }
}

export const squeeze: Rule = ([input, given], node) => {
  if (!input || given === null) return null
  const axes = (given ?? attribute(node, 'axes'))?.values?.map(axis => (axis < 0 ? axis + input.dims.length : axis))
  return { ...input, dims: input.dims.filter((dim, i) => !(axes ? axes.includes(i) : dim === 1)) }
}

export const transpose: Rule = ([input], node) => {
  if (input && input.dims.length <= 1) return input
  const order = attribute(node, 'perm')?.values ?? input?.dims.map((_, i) => i).reverse()
  return size(input && order?.map(axis => input.dims[axis] ?? 1))
}

/** Of the spatial dims, what the strides, the kernel and the pads make at least. */
export const convTranspose: Rule = ([input, weights], node) => {
  const given = attribute(node, 'output_shape')?.values
  const spatial = Math.max((input?.dims.length ?? 2) - 2, given?.length ?? 0)
  const numbersOf = (name: string) => attribute(node, name)?.values ?? []
  const [strides, pads, extra, kernel] = ['strides', 'pads', 'output_padding', 'kernel_shape'].map(numbersOf)
  const made = Array.from({ length: spatial }, (_, i) => {
    const width = kernel?.[i] ?? atLeast(weights, i + 2)
    const cut = (pads?.[i] ?? 0) + (pads?.[i + spatial] ?? 0)
    const grown = (strides?.[i] ?? 1) * (atLeast(input, i + 2) - 1) + (extra?.[i] ?? 0) + width - cut
    return Math.max(1, given?.at(i - spatial) ?? grown)
  })
  return spatial > 0 ? size([atLeast(input, 0), atLeast(weights, 1), ...made]) : null
}

/** Of the spatial dims, what pads and strides make of them; of a convolution, its weights say how many channels. */
export const convolved =
  (isPool: boolean): Rule =>
  ([input, weights], node) => {
    if (!input) return null
    const numbersOf = (name: string) => attribute(node, name)?.values ?? []
    const [strides, pads, dilations, kernel] = ['strides', 'pads', 'dilations', 'kernel_shape'].map(numbersOf)
    const spatial = input.dims.length - 2
    const made = input.dims.slice(2).map((dim, i) => {
      const width = kernel?.[i] ?? atLeast(weights, i + 2)
      const padded = dim + (pads?.[i] ?? 0) + (pads?.[i + spatial] ?? 0)
      return Math.max(1, Math.ceil((padded - (dilations?.[i] ?? 1) * (width - 1)) / (strides?.[i] ?? 1)))
    })
    return size([atLeast(input, 0), isPool ? atLeast(input, 1) : atLeast(weights, 0), ...made])
  }

/** N, C, H, W (or D, H, W) become N, H, W and the coordinates. */
export const affineGrid: Rule = ([, given]) => {
  const [batch = 1, , ...spatial] = given?.values ?? []
  return given?.values ? size([batch, ...spatial, spatial.length]) : null
}

export const melWeightMatrix: Rule = ([bins, length]) =>
  bins?.values || length?.values ? size([Math.floor((length?.values?.[0] ?? 1) / 2) + 1, bins?.values?.[0] ?? 1]) : null

/** The dims of an input, and one more that another input says. */
export const followedBy =
  (given: number): Rule =>
  inputs =>
    size(inputs[given]?.values && [...(inputs[0]?.dims ?? []), inputs[given]?.values?.[0] ?? 1])
