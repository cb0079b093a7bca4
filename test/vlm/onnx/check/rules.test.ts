/** What is known of nodes before a graph runs is what ONNX Runtime makes of them: of those whose rule is more than a name. */
import * as ort from 'onnxruntime-node'
import t from 'tap'
import type { Attribute } from '../../../../src/vlm/onnx/check/node.js'
import { outputsOf } from '../../../../src/vlm/onnx/check/rules/outputs.js'
import type { Known } from '../../../../src/vlm/onnx/check/tensor.js'
import {
  BOOL,
  FLOAT,
  field,
  floats,
  graph,
  int64s,
  model,
  node,
  tensor,
  value,
} from '../../../support/onnx/protobuf.js'

type Given = { kind: 'whole' | 'float' | 'bool' | 'byte'; values: readonly number[]; dims: readonly number[] }
const whole = (values: readonly number[], dims: readonly number[] = [values.length]): Given => ({
  kind: 'whole',
  values,
  dims,
})
const float = (values: readonly number[], dims: readonly number[] = [values.length]): Given => ({
  kind: 'float',
  values,
  dims,
})
const bools = (values: readonly number[], dims: readonly number[] = [values.length]): Given => ({
  kind: 'bool',
  values,
  dims,
})
const bytes = (values: readonly number[], dims: readonly number[] = [values.length]): Given => ({
  kind: 'byte',
  values,
  dims,
})
const column = float([1, 2, 3, 4], [4, 1])

const UINT8 = 2

type Attributes = Readonly<Record<string, number | readonly number[] | string>>
/** A node, its inputs, and the numbers and texts that it has beside them. */
const CASES: readonly [type: string, inputs: readonly Given[], attributes?: Attributes, outputs?: number][] = [
  ['Abs', [whole([-3, 4])]],
  ['Neg', [whole([-3, 4])]],
  ['Not', [bools([0, 1])]],
  ['Sign', [float([-2.5, 0, 3])]],
  ['Floor', [float([-2.5, 2.5])]],
  ['Ceil', [float([-2.5, 2.5])]],
  ['Sqrt', [float([4, 9])]],
  ['Reciprocal', [float([4, 0.5])]],
  ['Relu', [float([-1, 2])]],
  ['Add', [whole([1, 2, 3]), whole([10], [])]],
  ['Sum', [float([1, 2]), float([3, 4]), float([5, 6])]],
  ['Sub', [whole([1, 2, 3]), whole([10, 20, 30])]],
  ['Mul', [column, float([2], [1, 1])]],
  ['Div', [whole([7, -7]), whole([2])]],
  ['Div', [float([7, -7]), float([2])]],
  ['Mod', [whole([7, -7]), whole([3])]],
  ['Pow', [whole([2, 3]), whole([10])]],
  ['Min', [whole([1, 5]), whole([3])]],
  ['Max', [whole([1, 5]), whole([3]), whole([4])]],
  ['Equal', [whole([1, 5]), whole([5])]],
  ['Less', [whole([1, 5]), whole([5])]],
  ['GreaterOrEqual', [whole([1, 5]), whole([5])]],
  ['And', [bools([0, 1]), bools([1])]],
  ['Or', [bools([0, 1]), bools([0])]],
  ['Xor', [bools([0, 1]), bools([1])]],
  ['Where', [bools([0, 1]), whole([1, 2]), whole([9])]],
  ['Where', [bools([0, 1], [2, 1]), whole([1, 2]), whole([9])]],
  ['Cast', [float([-2.5, 2.5])], { to: 7 }],
  ['Cast', [whole([-2, 2])], { to: 1 }],
  ['Concat', [whole([1]), whole([2, 3])], { axis: 0 }],
  ['Concat', [column, column], { axis: -1 }],
  ['Gather', [whole([5, 6, 7]), whole([-1, 0])]],
  ['Gather', [whole([5, 6, 7]), whole([1], [])]],
  ['Gather', [float([1, 2, 3, 4, 5, 6], [3, 2]), whole([2, 0, 0, 1], [2, 2])], { axis: 1 - 1 }],
  ['Gather', [float([1, 2, 3, 4, 5, 6], [3, 2]), whole([1])], { axis: 1 }],
  ['GatherElements', [float([1, 2, 3]), whole([2, 2, 2, 0])]],
  ['Slice', [whole([5, 6, 7, 8]), whole([1]), whole([-1])]],
  ['Slice', [whole([5, 6, 7, 8]), whole([-1]), whole([-100]), whole([0]), whole([-2])]],
  ['Slice', [whole([5, 6, 7, 8]), whole([0]), whole([100]), whole([0]), whole([3])]],
  ['Split', [whole([5, 6, 7, 8]), whole([1, 3])], {}, 2],
  ['CumSum', [float([1, 2, 3]), whole([0], [])]],
  ['ReduceSum', [whole([1, 2, 3])], { keepdims: 0 }],
  ['ReduceProd', [whole([2, 3, 4])], { keepdims: 0 }],
  ['ReduceMax', [whole([2, 9, 4])], { keepdims: 0 }],
  ['ReduceMean', [float([2, 9, 4])], { keepdims: 0 }],
  ['Shape', [column]],
  ['Size', [column]],
  ['ConstantOfShape', [whole([2, 3])]],
  ['Range', [whole([1], []), whole([10], []), whole([3], [])]],
  ['Range', [float([1], []), float([-1], []), float([-0.5], [])]],
  ['Expand', [whole([7]), whole([2, 3])]],
  ['Expand', [column, whole([1, 3])]],
  ['Tile', [whole([7]), whole([3])]],
  ['Tile', [column, whole([2, 3])]],
  ['Pad', [column, whole([1, 2, 3, 4])]],
  ['OneHot', [whole([0, 1]), whole([4]), float([0, 1])]],
  ['Reshape', [column, whole([2, -1])]],
  ['Reshape', [column, whole([0, 1, 1])]],
  ['Flatten', [float([1, 2, 3, 4, 5, 6], [3, 1, 2])], { axis: 1 }],
  ['Squeeze', [column]],
  ['Squeeze', [column, whole([-1])]],
  ['Unsqueeze', [column, whole([0, -1])]],
  ['Transpose', [column]],
  ['Transpose', [float([1, 2, 3, 4, 5, 6], [3, 1, 2])], { perm: [2, 0, 1] }],
  ['MatMul', [column, float([1, 2], [1, 2])]],
  ['Gemm', [column, float([1, 2], [2, 1])], { transB: 1 }],
  ['Einsum', [float([1, 2]), float([3, 4, 5])], { equation: 'a, b -> ba' }],
  ['Einsum', [float([1, 2, 3, 4, 5, 6], [2, 3]), float([3, 4, 5])], { equation: 'ab,b' }],
  ['Pad', [column, whole([1, 2]), float([0], []), whole([-1])]],
  ['Resize', [float([1, 2, 3, 4], [1, 1, 2, 2]), float([]), float([1, 1, 1.5, 3])], { mode: 'nearest' }],
  ['Resize', [float([1, 2, 3, 4], [1, 1, 2, 2]), float([]), float([]), whole([1, 1, 3, 5])], { mode: 'nearest' }],
  [
    'Einsum',
    [float(Array(12).fill(1), [2, 3, 2]), float(Array(12).fill(1), [2, 3, 2])],
    { equation: 'b...d,b...e->...bde' },
  ],
  ['Round', [float([-2.7, 1.2])]],
  ['Exp', [float([0])]],
  ['Log', [float([1])]],
  ['Clip', [float([-2, 0.5, 7]), float([0], []), float([1], [])]],
  ['Mean', [float([1, 3]), float([3, 5])]],
  ['PRelu', [column, float([2], [1])]],
  ['ReduceSum', [whole([1, 2, 3])]],
  ['ReduceSum', [whole([1, 2, 3])], { noop_with_empty_axes: 1 }],
  ['Shape', [float([1, 2, 3, 4, 5, 6], [3, 1, 2])], { start: 1 }],
  ['Shape', [float([1, 2, 3, 4, 5, 6], [3, 1, 2])], { start: -2, end: -1 }],
  ['Cast', [float([0.5, 0])], { to: 9 }],
  ['Cast', [whole([-1, 300])], { to: 12 }],
  ['Cast', [whole([-1, 300])], { to: 2 }],
  ['GatherElements', [column, whole([0, 1, 2], [3, 1])]],
  ['ScatterElements', [float([1, 2, 3]), whole([1]), float([9])]],
  ['CenterCropPad', [column, whole([6, 2])]],
  ['HannWindow', [whole([5], [])]],
  [
    'Conv',
    [float(Array(12).fill(1), [1, 1, 3, 4]), float(Array(8).fill(1), [2, 1, 2, 2])],
    { pads: [5, 0, 1, 2], strides: [2, 1] },
  ],
  ['MaxPool', [float(Array(12).fill(1), [1, 1, 3, 4])], { kernel_shape: [3, 2], pads: [2, 1, 2, 1], strides: [1, 2] }],
  ['MatMulInteger', [bytes([1, 2], [2, 1]), bytes([1, 2, 3], [1, 3])]],
  ['BitShift', [bytes([1, 2]), bytes([3])], { direction: 'LEFT' }],
  ['BitShift', [bytes([9, 8]), bytes([2])], { direction: 'RIGHT' }],
  ['EyeLike', [column]],
  ['Trilu', [column]],
  [
    'ConvTranspose',
    [float(Array(6).fill(1), [1, 1, 2, 3]), float(Array(8).fill(1), [1, 2, 2, 2])],
    { strides: [3, 2], pads: [1, 0, 0, 1], output_padding: [1, 0] },
  ],
]

/** What ONNX Runtime makes, as numbers. */
async function made([type, inputs, attributes = {}, outputs = 1]: (typeof CASES)[number]): Promise<ort.Tensor[]> {
  const names = inputs.map((_, i) => `in${i}`)
  const outs = Array.from({ length: outputs }, (_, i) => `out${i}`)
  const initializers = inputs.map(({ kind, values, dims }, i) => {
    const name = names[i] as string
    if (kind === 'bool') return tensor(name, BOOL, dims, Uint8Array.from(values))
    if (kind === 'byte') return tensor(name, UINT8, dims, Uint8Array.from(values))
    return kind === 'float' ? floats(name, values, dims) : int64s(name, values, dims)
  })
  const nodes = [node(type, names, outs, attributes), node('Identity', ['x'], ['y'])]
  const session = await ort.InferenceSession.create(
    model(
      graph({
        initializers,
        nodes,
        inputs: [value('x', FLOAT, ['n'])],
        outputs: [...outs, 'y'].map(name => field(1, name)),
      }),
      [],
      18,
    ),
    { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 },
  )
  const found = await session.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) })
  return outs.map(name => found[name] as ort.Tensor)
}

function known([type, inputs, attributes = {}, outputs = 1]: (typeof CASES)[number]) {
  const given = inputs.map(({ kind, values, dims }): Known => ({ dims, values, isFloat: kind === 'float' }))
  const own = Object.entries(attributes).map(([name, of]): [string, Attribute] => {
    const text = typeof of === 'string' ? of : ''
    const values = typeof of === 'number' ? [of] : typeof of === 'string' ? null : of
    return [name, { known: values && { dims: [values.length], values }, text, from: '', graphs: [] }]
  })
  const outs = Array.from({ length: outputs }, (_, i) => `out${i}`)
  const parts = { type, domain: '', overload: '', inputs: inputs.map(() => 'in'), outputs: outs }
  return outputsOf({ ...parts, attributes: new Map(own) }, given)
}

for (const one of CASES)
  t.test(`${one[0]} of ${one[1].map(({ values, dims }) => `${values} [${dims}]`).join(' and ')}`, async t => {
    const [wanted, found] = [await made(one), known(one)]
    t.equal(found.length, wanted.length)
    for (const [i, output] of wanted.entries()) {
      t.same(found[i]?.dims, output.dims)
      const values = found[i]?.values
      if (values) t.same(values, Array.from(output.data as Iterable<number | bigint>, Number))
    }
  })
