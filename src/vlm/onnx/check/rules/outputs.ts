/**
 * What a node will make, as far as its constants tell. ONNX Runtime runs what has constant inputs alone while it loads a
 * graph, so that a few bytes may take gigabytes. What is only known when the graph runs is unknown here.
 */
import type { Node } from '../node.js'
import type { Known } from '../tensor.js'
import { attribute, type Inputs, productOf, type Rule, size } from './rule.js'
import {
  affineGrid,
  convolved,
  convTranspose,
  distances,
  einsum,
  expand,
  flatten,
  followedBy,
  gemm,
  matmul,
  melWeightMatrix,
  oneHot,
  pad,
  reshape,
  resize,
  shaped,
  sized,
  squeeze,
  tile,
  transpose,
  unsqueeze,
  upsample,
} from './sizes.js'
import {
  bitwise,
  cast,
  clip,
  concat,
  constantOfShape,
  cumulated,
  divided,
  elementwise,
  gather,
  pairwise,
  range,
  reduced,
  shifted,
  slice,
  split,
  unary,
  where,
} from './values.js'

const same: Rule = ([input]) => input ?? null

const constant: Rule = (_, { attributes }) => {
  for (const name of ['value', 'value_int', 'value_ints', 'value_float', 'value_floats', 'sparse_value']) {
    const known = attributes.get(name)?.known
    if (known) return known
  }
  return null
}

function isExact(known: Known | null | undefined): known is Known {
  return known !== null && known !== undefined && !known.isLeast
}

const shapeOf: Rule = ([input], node) => {
  if (!isExact(input)) return null
  const [from, to] = ['start', 'end'].map(name => attribute(node, name)?.values?.[0])
  const values = input.dims.slice(from ?? 0, to)
  return { dims: [values.length], values, isFloat: false }
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b)
const isTrue = (holds: boolean) => (holds ? 1 : 0)
const rules = (names: string, rule: Rule) => names.split(' ').map(name => [name, rule] as const)

const RULES: ReadonlyMap<string, Rule> = new Map([
  ['Constant', constant],
  ...rules('Identity CastLike Dropout', same),
  ['Cast', cast],
  ['Shape', shapeOf],
  ['Size', ([input]) => (isExact(input) ? { dims: [], values: [productOf(input.dims)], isFloat: false } : null)],

  // numbers
  ['Abs', unary(Math.abs)],
  ['Neg', unary(a => -a)],
  ['Not', unary(a => isTrue(a === 0))],
  ['Sign', unary(Math.sign)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Round', unary(Math.round)],
  ['Sqrt', unary(Math.sqrt)],
  ['Exp', unary(Math.exp)],
  ['Log', unary(Math.log)],
  ['Reciprocal', unary(a => 1 / a)],
  ['Relu', unary(a => Math.max(0, a))],
  ['BitwiseNot', unary(a => -a - 1)],
  ...rules(
    'Add Sum',
    pairwise((a, b) => a + b),
  ),
  ['Sub', pairwise((a, b) => a - b)],
  ['Mul', pairwise((a, b) => a * b)],
  ['Div', divided],
  ['Mod', pairwise((a, b) => a - b * Math.floor(a / b))],
  ['Pow', pairwise((a, b) => a ** b)],
  ['Min', pairwise(Math.min)],
  ['Max', pairwise(Math.max)],
  ['BitShift', shifted],
  ['BitwiseAnd', bitwise((a, b) => a & b)],
  ['BitwiseOr', bitwise((a, b) => a | b)],
  ['BitwiseXor', bitwise((a, b) => a ^ b)],
  ['Equal', pairwise((a, b) => isTrue(a === b))],
  ['Less', pairwise((a, b) => isTrue(a < b))],
  ['Greater', pairwise((a, b) => isTrue(a > b))],
  ['LessOrEqual', pairwise((a, b) => isTrue(a <= b))],
  ['GreaterOrEqual', pairwise((a, b) => isTrue(a >= b))],
  ['And', pairwise((a, b) => isTrue(a !== 0 && b !== 0))],
  ['Or', pairwise((a, b) => isTrue(a !== 0 || b !== 0))],
  ['Xor', pairwise((a, b) => isTrue((a !== 0) !== (b !== 0)))],
  ['Where', where],
  ['Concat', concat],
  ['Gather', gather],
  ['Slice', slice],
  ['CumSum', cumulated],
  ['ReduceSum', reduced(sum)],
  ['ReduceProd', reduced(values => values.reduce((a, b) => a * b))],
  ['ReduceMax', reduced(values => Math.max(...values))],
  ['ReduceMin', reduced(values => Math.min(...values))],
  ['ReduceMean', reduced(values => sum(values) / values.length)],

  // sizes
  ['ConstantOfShape', constantOfShape],
  ['Range', range],
  ...rules('RandomNormal RandomUniform', (_, node) => size(node.attributes.get('shape')?.known?.values)),
  ...rules('RandomNormalLike RandomUniformLike Bernoulli', sized(0)),
  ...rules('HannWindow HammingWindow BlackmanWindow', shaped(0)),
  ...rules('CenterCropPad Col2Im', shaped(1)),
  ['MaxUnpool', shaped(2)],
  ['GatherElements', sized(1)],
  ...rules(
    `ScatterElements ScatterND Scatter EyeLike Trilu Sin Cos Tan Sinh Cosh Tanh Asin Acos Atan Sigmoid Erf Gelu Softmax
    LogSoftmax Hardmax Elu Selu Celu LeakyRelu ThresholdedRelu HardSigmoid HardSwish Softplus Softsign Mish IsNaN IsInf
    LayerNormalization InstanceNormalization BatchNormalization GroupNormalization LpNormalization LRN Shrink
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear QuickGelu FastGelu`.replace(/\s+/g, ' '),
    sized(0),
  ),
  ...rules('PRelu Mean', elementwise),
  ['Clip', clip],
  ['Expand', expand],
  ['Tile', tile],
  ['Pad', pad],
  ['Resize', resize],
  ['Upsample', upsample],
  ['OneHot', oneHot],
  ...rules('Multinomial DFT', followedBy(1)),
  ...rules('MatMul MatMulInteger FusedMatMul', matmul),
  ...rules('Conv ConvInteger', convolved(false)),
  ...rules('AveragePool MaxPool LpPool', convolved(true)),
  ['Gemm', gemm],
  ['Einsum', einsum],
  ['CDist', distances],
  ['ConvTranspose', convTranspose],
  ['AffineGrid', affineGrid],
  ['MelWeightMatrix', melWeightMatrix],
  ['Reshape', reshape],
  ['Flatten', flatten],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Transpose', transpose],
])

/** Some of ONNX Runtime's own operators have the names of ONNX's, and make the same. */
const DOMAINS: readonly string[] = ['', 'ai.onnx', 'com.microsoft']

/**
 * What is known of the node's outputs, in their order; those at the end of which nothing is known may lack.
 * @param inputs What is known of its inputs, in their order.
 */
export function outputsOf(node: Node, inputs: Inputs): readonly (Known | null)[] {
  if (!DOMAINS.includes(node.domain)) return []
  if (node.type === 'Split')
    return split(inputs, node).map(part => part && { ...part, isFloat: inputs[0]?.isFloat ?? false })
  const known = RULES.get(node.type)?.(inputs, node)
  if (!known) return [null]
  const isLeast = known.isLeast ?? inputs.some(input => input === null || input?.isLeast)
  return [{ ...known, isLeast, isFloat: known.isFloat ?? inputs.some(input => input?.isFloat) }]
}
