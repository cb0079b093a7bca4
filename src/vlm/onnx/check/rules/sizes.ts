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

/** The letters of an equation stand for dims. Those that "..." stands for are taken for 1. */
export const einsum: Rule = (inputs, node) => {
  const equation = (node.attributes.get('equation')?.text ?? '').replaceAll(' ', '')
  const [from = '', to] = equation.split('->')
  const dims = new Map<string, number>()
  const counts = new Map<string, number>()
  for (const [i, letters] of from.split(',').entries())
    for (const [at, letter] of [...letters.replaceAll('.', '')].entries()) {
      dims.set(letter, Math.max(dims.get(letter) ?? 1, atLeast(inputs[i], at)))
      counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
  // without an arrow, what stands there once is kept
  const kept = to ?? [...counts].flatMap(([letter, count]) => (count === 1 ? [letter] : [])).join('')
  return inputs.some(input => input) ? size([...kept.replaceAll('.', '')].map(letter => dims.get(letter) ?? 1)) : null
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

export const pad: Rule = ([input, given], node) => {
  const pads = (given ?? attribute(node, 'pads'))?.values
  const rank = (pads?.length ?? 0) / 2
  return size(pads?.slice(0, rank).map((before, i) => Math.max(1, atLeast(input, i) + before + (pads[i + rank] ?? 0))))
}

const scaled = (input: Known | null | undefined, scales: Known | null | undefined) =>
  size(scales?.values?.map((scale, i) => Math.floor(scale * atLeast(input, i))))

export const resize: Rule = ([input, , scales, sizes]) =>
  sizes?.values?.length ? size(sizes.values) : scaled(input, scales)

export const upsample: Rule = ([input, scales], node) => scaled(input, scales ?? attribute(node, 'scales'))

export const oneHot: Rule = ([indices, depth]) =>
  size(depth?.values && [...(indices?.dims ?? []), depth.values[0] ?? 1])

/** The same numbers in other dims: a dim of 0 is the input's, and one of -1 what is left. */
export const reshape: Rule = ([input, shape], node) => {
  const wanted = (shape ?? attribute(node, 'shape'))?.values?.map((dim, i) => (dim === 0 ? atLeast(input, i) : dim))
  if (!input) return size(wanted?.every(dim => dim > 0) ? wanted : null)
  const count = productOf(input.dims)
  const others = wanted?.filter(dim => dim > 0) ?? []
  const dims = wanted?.map(dim => (dim > 0 ? dim : count / productOf(others)))
  return { ...input, dims: dims ?? [count] }
}

/** Two dims: the product of those before an axis, and that of the others. */
export const flatten: Rule = ([input], node) => {
  if (!input) return null
  const axis = attribute(node, 'axis')?.values?.[0] ?? 1
  return { ...input, dims: [productOf(input.dims.slice(0, axis)), productOf(input.dims.slice(axis))] }
}

export const unsqueeze: Rule = ([input, given], node) => {
  const axes = (given ?? attribute(node, 'axes'))?.values
  if (!input || !axes) return null
  const dims = [...input.dims]
  const rank = dims.length + axes.length
  for (const axis of axes.map(axis => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)) dims.splice(axis, 0, 1)
  return { ...input, dims }
}

export const squeeze: Rule = ([input, given], node) => {
  if (!input) return null
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
