/** Graphs whose large size shows only where nodes before it have been followed. */
import { always, ENTRIES, file, type Hostile } from './hostile-parts.js'
import { BOOL, bool, field, floats, graph, INT64, int64s, localFunction, node, value } from './protobuf.js'

const refusal = /ConstantOfShape makes at least 800000000 numbers/

/** A ConstantOfShape of what these nodes make as `shape`. */
const shapedBy = (initializers: readonly Buffer[], ...nodes: readonly Buffer[]) => ({
  bytes: () => file({ initializers, nodes: [...nodes, node('ConstantOfShape', ['shape'], ['y'])] }),
  refusal,
})

const list = (...values: (number | bigint)[]) => int64s('list', values)
const number = (name: string, value: number | bigint) => int64s(name, [value], [])

export const CHAINS: Hostile = {
  'the absolute of a negative shape': shapedBy([list(-ENTRIES)], node('Abs', ['list'], ['shape'])),
  'a negative shape negated': shapedBy([list(-ENTRIES)], node('Neg', ['list'], ['shape'])),
  'a power': shapedBy([list(20_000, 40_000), number('one', 1)], node('Pow', ['list', 'one'], ['shape'])),
  'the larger of two shapes': shapedBy([list(1), int64s('more', [ENTRIES])], node('Max', ['list', 'more'], ['shape'])),
  'a bit shifted to the left': shapedBy(
    [list(3_125_000), number('by', 8)],
    node('BitShift', ['list', 'by'], ['shape'], { direction: 'LEFT' }),
  ),
  'a division by a fraction': shapedBy(
    [floats('list', [100_000_000]), floats('eighth', [0.125])],
    node('Div', ['list', 'eighth'], ['whole']),
    node('Cast', ['whole'], ['shape'], { to: INT64 }),
  ),
  'a number of a list': shapedBy([list(1, ENTRIES), int64s('at', [-1])], node('Gather', ['list', 'at'], ['shape'])),
  'the end of a list': shapedBy(
    [list(1, 20_000, 40_000), int64s('from', [1]), int64s('to', [2n ** 62n])],
    node('Slice', ['list', 'from', 'to'], ['shape']),
  ),
  'a list from behind': shapedBy(
    [list(ENTRIES, 1, 1), int64s('from', [-1]), int64s('to', [-(2n ** 62n)]), int64s('axes', [0]), int64s('by', [-2])],
    node('Slice', ['list', 'from', 'to', 'axes', 'by'], ['shape']),
  ),
  'the second part of a list': shapedBy(
    [list(1, 2, 20_000, 40_000)],
    node('Split', ['list'], ['first', 'shape'], { axis: 0 }),
  ),
  'the product of a list': shapedBy([list(20_000, 40_000)], node('ReduceProd', ['list'], ['shape'])),
  'a choice': shapedBy(
    [list(1), int64s('more', [ENTRIES]), always],
    node('Where', ['always', 'more', 'list'], ['shape']),
  ),
  'a choice by a comparison, of a shape that was expanded': shapedBy(
    [list(-1), int64s('rank', [1]), int64s('more', [ENTRIES]), number('none', -1)],
    node('Expand', ['list', 'rank'], ['wide']),
    node('Equal', ['wide', 'none'], ['free']),
    node('Where', ['free', 'more', 'wide'], ['shape']),
  ),
  'the size of a tensor of 800 million, times one': shapedBy(
    [list(1), floats('row', Array(1000).fill(1))],
    node('Size', ['row'], ['thousand']),
    node('Mul', ['thousand', 'thousand'], ['million']),
    node('Mul', ['million', 'list'], ['some']),
    node('Mul', ['some', 'eight'], ['shape']),
    node('Constant', [], ['eight'], { value_int: 800 }),
  ),
  'what a function is given': {
    bytes: () =>
      file({ initializers: [list(ENTRIES)], nodes: [node('f', ['list'], ['y'], {}, 'local')] }, [
        localFunction('f', ['shape'], ['z'], [node('ConstantOfShape', ['shape'], ['z'])]),
      ]),
    refusal,
  },
  'what a function makes': {
    bytes: () =>
      file(
        {
          initializers: [list(-ENTRIES)],
          nodes: [node('f', ['list'], ['shape'], {}, 'local'), node('ConstantOfShape', ['shape'], ['y'])],
        },
        [localFunction('f', ['a'], ['b'], [node('Abs', ['a'], ['b'])])],
      ),
    refusal,
  },
  'an attribute that a function is given': {
    bytes: () => {
      const given = field(5, Buffer.concat([field(1, 'value_ints'), field(21, 'wanted'), field(20, 7)]))
      const constant = Buffer.concat([node('Constant', [], ['shape']), given])
      return file({ nodes: [node('f', [], ['y'], { wanted: [ENTRIES] }, 'local')] }, [
        localFunction('f', [], ['z'], [constant, node('ConstantOfShape', ['shape'], ['z'])]),
      ])
    },
    refusal,
  },
  'the branch of an If': {
    bytes: () => {
      const branch = (entries: number) =>
        graph({ nodes: [node('Constant', [], ['z'], { value_ints: [entries] })], outputs: [value('z')] })
      const branches = { then_branch: { graph: branch(1) }, else_branch: { graph: branch(ENTRIES) } }
      return file({
        initializers: [bool('never', false)],
        nodes: [node('If', ['never'], ['shape'], branches), node('ConstantOfShape', ['shape'], ['y'])],
      })
    },
    refusal,
  },
  'nodes in the wrong order, also of what a branch sees': {
    bytes: () => {
      const branch = graph({ nodes: [node('ConstantOfShape', ['shape'], ['z'])], outputs: [value('z')] })
      return file({
        initializers: [list(-ENTRIES), always],
        nodes: [
          node('If', ['always'], ['y'], { then_branch: { graph: branch }, else_branch: { graph: branch } }),
          node('Identity', ['more'], ['shape']),
          node('Abs', ['list'], ['more']),
        ],
      })
    },
    refusal,
  },
  'a default attribute of a function': {
    bytes: () => {
      const given = field(5, Buffer.concat([field(1, 'value_ints'), field(21, 'wanted'), field(20, 7)]))
      const constant = Buffer.concat([node('Constant', [], ['shape']), given])
      const wanted = field(11, Buffer.concat([field(1, 'wanted'), field(8, ENTRIES), field(20, 7)]))
      const body = localFunction('f', [], ['z'], [constant, node('ConstantOfShape', ['shape'], ['z'])])
      return file({ nodes: [node('f', [], ['y'], {}, 'local')] }, [Buffer.concat([body, wanted])])
    },
    refusal,
  },
  'branches of an If after an If': {
    bytes: () => {
      const shape = graph({ nodes: [node('Constant', [], ['z'], { value_ints: [ENTRIES] })], outputs: [value('z')] })
      const made = graph({ nodes: [node('ConstantOfShape', ['shape'], ['z'])], outputs: [value('z')] })
      const both = (of: Buffer) => ({ then_branch: { graph: of }, else_branch: { graph: of } })
      return file({
        initializers: [always],
        nodes: [
          node('If', ['always'], ['shape'], both(shape)),
          node('If', ['always'], ['q'], both(made)),
          node('Identity', ['q'], ['y']),
        ],
      })
    },
    refusal,
  },
  'a condition that is half true': shapedBy(
    [list(1), int64s('more', [ENTRIES]), floats('half', [0.5])],
    node('Cast', ['half'], ['holds'], { to: BOOL }),
    node('Where', ['holds', 'more', 'list'], ['shape']),
  ),
  'a number without a sign': shapedBy(
    [list(-1)],
    node('Cast', ['list'], ['large'], { to: 12 }),
    node('Cast', ['large'], ['larger'], { to: INT64 }),
    node('Constant', [], ['less'], { value_ints: [2 ** 32 - 1 - ENTRIES] }),
    node('Sub', ['larger', 'less'], ['shape']),
  ),
  'a fraction of a list': shapedBy(
    [floats('list', [1, 3]), int64s('first', [0]), int64s('second', [1]), int64s('large', [3 * ENTRIES])],
    node('Gather', ['list', 'first'], ['one']),
    node('Gather', ['list', 'second'], ['three']),
    node('Div', ['one', 'three'], ['third']),
    node('Cast', ['large'], ['floating'], { to: 11 }),
    node('Mul', ['third', 'floating'], ['much']),
    node('Round', ['much'], ['rounded']),
    node('Cast', ['rounded'], ['shape'], { to: INT64 }),
  ),
  'padding of a convolution': {
    bytes: () =>
      file({
        initializers: [floats('picture', [1], [1, 1, 1, 1]), floats('kernel', [1], [1, 1, 1, 1])],
        nodes: [node('Conv', ['picture', 'kernel'], ['y'], { pads: [10_000, 20_000, 10_000, 20_000] })],
      }),
    refusal: /Conv makes at least 800060001 numbers/,
  },
  'a rank that doubles': {
    bytes: () =>
      file({
        initializers: [int64s('g0', [0], [1, 1])],
        nodes: Array.from({ length: 40 }, (_, i) => node('Gather', [`g${i}`, `g${i}`], [i === 39 ? 'y' : `g${i + 1}`])),
      }),
    refusal: /Gather makes a tensor of 65 dims/,
  },
  'an Einsum': {
    bytes: () =>
      file({
        initializers: [floats('row', Array(30_000).fill(1))],
        nodes: [node('Einsum', ['row', 'row'], ['y'], { equation: 'i, j -> ij' })],
      }),
    refusal: /Einsum makes at least 900000000 numbers/,
  },
  'an Einsum without an arrow': {
    bytes: () =>
      file({
        initializers: [floats('row', Array(30_000).fill(1))],
        nodes: [node('Einsum', ['row', 'row'], ['y'], { equation: 'i,j' })],
      }),
    refusal: /Einsum makes at least 900000000 numbers/,
  },
  'a list added to itself as a column': {
    bytes: () =>
      file({
        initializers: [floats('row', Array(30_000).fill(1)), int64s('axes', [1])],
        nodes: [node('Unsqueeze', ['row', 'axes'], ['column']), node('Add', ['column', 'row'], ['y'])],
      }),
    refusal: /Add makes at least 900000000 numbers/,
  },
  'a column reshaped': {
    bytes: () =>
      file({
        initializers: [floats('row', Array(30_000).fill(1)), int64s('as', [-1, 1])],
        nodes: [node('Reshape', ['row', 'as'], ['column']), node('Mul', ['column', 'row'], ['y'])],
      }),
    refusal: /Mul makes at least 900000000 numbers/,
  },
  'a Gemm': {
    bytes: () =>
      file({
        initializers: [floats('row', Array(30_000).fill(1), [1, 30_000])],
        nodes: [node('Gemm', ['row', 'row'], ['y'], { transA: 1 })],
      }),
    refusal: /Gemm makes at least 900000000 numbers/,
  },
  'rows gathered many times': {
    bytes: () =>
      file({
        initializers: [floats('rows', Array(30_000).fill(1), [1, 30_000]), int64s('at', Array(30_000).fill(0))],
        nodes: [node('Gather', ['rows', 'at'], ['y'])],
      }),
    refusal: /Gather makes at least 900000000 numbers/,
  },
  'a ConvTranspose of large strides': {
    bytes: () =>
      file({
        initializers: [floats('picture', Array(4).fill(1), [1, 1, 2, 2]), floats('kernel', [1], [1, 1, 1, 1])],
        nodes: [node('ConvTranspose', ['picture', 'kernel'], ['y'], { strides: [30_000, 30_000] })],
      }),
    refusal: /ConvTranspose makes at least 900060001 numbers/,
  },
  'a grid of coordinates': {
    bytes: () =>
      file({
        initializers: [tensorOfTheta, int64s('size', [1, 1, 20_000, 20_000])],
        nodes: [node('AffineGrid', ['theta', 'size'], ['y'])],
      }),
    refusal: /AffineGrid makes at least 800000000 numbers/,
  },
  "a Range of ONNX Runtime's own": {
    bytes: () =>
      file({
        initializers: [number('from', 0), number('to', ENTRIES), number('by', 1)],
        nodes: [node('Range', ['from', 'to', 'by'], ['y'], {}, 'com.microsoft')],
      }),
    refusal: /Range makes at least 800000000 numbers/,
  },
}

const tensorOfTheta = floats('theta', [1, 0, 0, 0, 1, 0], [1, 2, 3])
