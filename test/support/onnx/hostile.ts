/** Graphs that mean harm: small files that would take much memory or time. Each is what its name says. */
import { CHAINS } from './hostile-chains.js'
import { NODES } from './hostile-nodes.js'
import { always, ENTRIES, file, folded, type Hostile } from './hostile-parts.js'
import { FLOAT, field, floats, graph, INT64, int64s, localFunction, node, tensor, value } from './protobuf.js'

export const HOSTILE: Hostile = {
  ...CHAINS,
  ...NODES,
  'a ConstantOfShape of 800 million': {
    bytes: () => folded('ConstantOfShape', [int64s('shape', [ENTRIES])], ['shape']),
    refusal: /ConstantOfShape makes at least 800000000 numbers/,
  },
  'the same with its shape in a Constant, cast and put together': {
    bytes: () =>
      file({
        nodes: [
          node('ConstantOfShape', ['shape'], ['y']),
          node('Concat', ['a', 'b'], ['shape'], { axis: 0 }),
          node('Cast', ['c'], ['b'], { to: INT64 }),
          node('Constant', [], ['a'], { value_ints: [20_000] }),
          node('Constant', [], ['c'], { value: { tensor: floats('', [40_000]) } }),
        ].toReversed(),
      }),
    refusal: /ConstantOfShape makes at least 800000000 numbers/,
  },
  'an Expand': {
    bytes: () => folded('Expand', [floats('one', [1]), int64s('shape', [ENTRIES])], ['one', 'shape']),
    refusal: /Expand makes at least 800000000 numbers/,
  },
  'a Tile': {
    bytes: () => folded('Tile', [floats('one', [1]), int64s('repeats', [ENTRIES])], ['one', 'repeats']),
    refusal: /Tile makes at least 800000000 numbers/,
  },
  'a Tile of what comes in': {
    bytes: () => folded('Tile', [int64s('repeats', [ENTRIES])], ['x', 'repeats']),
    refusal: /Tile makes at least 800000000 numbers/,
  },
  'a Range': {
    bytes: () =>
      folded(
        'Range',
        [floats('from', [0], []), floats('to', [-2 * ENTRIES], []), floats('by', [-2], [])],
        ['from', 'to', 'by'],
      ),
    refusal: /Range makes at least 800000000 numbers/,
  },
  'a Pad': {
    bytes: () => folded('Pad', [floats('one', [1]), int64s('pads', [ENTRIES / 2, ENTRIES / 2 - 1])], ['one', 'pads']),
    refusal: /Pad makes at least 800000000 numbers/,
  },
  'a Resize by sizes': {
    bytes: () =>
      folded(
        'Resize',
        [floats('one', [1], [1, 1, 1, 1]), int64s('sizes', [1, 1, 20_000, 40_000])],
        ['one', '', '', 'sizes'],
      ),
    refusal: /Resize makes at least 800000000 numbers/,
  },
  'a Resize by scales': {
    bytes: () =>
      folded(
        'Resize',
        [floats('one', [1], [1, 1, 1, 1]), floats('scales', [1, 1, 20_000, 40_000])],
        ['one', '', 'scales'],
      ),
    refusal: /Resize makes at least 800000000 numbers/,
  },
  'a OneHot': {
    bytes: () =>
      folded(
        'OneHot',
        [int64s('indices', [0]), int64s('depth', [ENTRIES], []), floats('values', [0, 1])],
        ['indices', 'depth', 'values'],
      ),
    refusal: /OneHot makes at least 800000000 numbers/,
  },
  'an EyeLike of a small column that was expanded': {
    bytes: () =>
      file({
        initializers: [floats('one', [1], [1, 1]), int64s('shape', [20_000, 40_000])],
        nodes: [node('Expand', ['one', 'shape'], ['wide']), node('EyeLike', ['wide'], ['y'])],
      }),
    refusal: /Expand makes at least 800000000 numbers/,
  },
  'a RandomNormal': {
    bytes: () => folded('RandomNormal', [], [], { shape: [ENTRIES] }),
    refusal: /RandomNormal makes at least 800000000 numbers/,
  },
  'a column added to a row': {
    bytes: () =>
      file({
        initializers: [
          floats('column', Array(30_000).fill(1), [30_000, 1]),
          floats('row', Array(30_000).fill(1), [1, 30_000]),
        ],
        nodes: [node('Add', ['column', 'row'], ['y'])],
      }),
    refusal: /Add makes at least 900000000 numbers/,
  },
  'a column times a row': {
    bytes: () =>
      file({
        initializers: [
          floats('column', Array(30_000).fill(1), [30_000, 1]),
          floats('row', Array(30_000).fill(1), [1, 30_000]),
        ],
        nodes: [node('MatMul', ['column', 'row'], ['y'])],
      }),
    refusal: /MatMul makes at least 900000000 numbers/,
  },
  'what doubles thirty times': {
    bytes: () =>
      file({
        initializers: [floats('c0', [1])],
        nodes: Array.from({ length: 30 }, (_, i) =>
          node('Concat', [`c${i}`, `c${i}`], [i === 29 ? 'y' : `c${i + 1}`], { axis: 0 }),
        ),
      }),
    refusal: /Concat makes at least 67108864 numbers/,
  },
  'many that are large together': {
    bytes: () =>
      file({
        initializers: [int64s('shape', [30_000_000])],
        nodes: Array.from({ length: 20 }, (_, i) => node('ConstantOfShape', ['shape'], [i === 0 ? 'y' : `y${i}`])),
        outputs: Array.from({ length: 20 }, (_, i) => value(i === 0 ? 'y' : `y${i}`)),
      }),
    refusal: /its constants make at least 150000000 numbers together/,
  },
  'a ConstantOfShape in the branch of an If': {
    bytes: () => {
      const branch = graph({ nodes: [node('ConstantOfShape', ['shape'], ['z'])], outputs: [value('z')] })
      return file({
        initializers: [always, int64s('shape', [ENTRIES])],
        nodes: [node('If', ['always'], ['y'], { then_branch: { graph: branch }, else_branch: { graph: branch } })],
      })
    },
    refusal: /ConstantOfShape makes at least 800000000 numbers/,
  },
  'a ConstantOfShape in a local function': {
    bytes: () =>
      file({ nodes: [node('f', [], ['y'], {}, 'local')] }, [
        localFunction(
          'f',
          [],
          ['z'],
          [node('Constant', [], ['shape'], { value_ints: [ENTRIES] }), node('ConstantOfShape', ['shape'], ['z'])],
        ),
      ]),
    refusal: /ConstantOfShape makes at least 800000000 numbers/,
  },
  'a weight with more numbers than bytes': {
    bytes: () => folded('Neg', [tensor('w', FLOAT, [ENTRIES], Buffer.alloc(4000))], ['w']),
    refusal: /w: its dims are 800000000, which takes 3200000000 bytes, but it has 4000/,
  },
  'a weight without any bytes': {
    bytes: () => folded('Neg', [tensor('w', FLOAT, [2n ** 40n], Buffer.alloc(0))], ['w']),
    refusal: /w: its dims are 1099511627776, .* but it has 0/,
  },
  'a weight of a negative size': {
    bytes: () => folded('Neg', [tensor('w', FLOAT, [-1, -4], Buffer.alloc(16))], ['w']),
    refusal: /w: its dims are -1 x -4/,
  },
  'a weight longer than its file': {
    bytes: () =>
      folded(
        'Neg',
        [tensor('w', FLOAT, [ENTRIES], { location: 'weights.bin', offset: 0, length: 4 * ENTRIES })],
        ['w'],
      ),
    refusal: /the weight w takes \d+ bytes, and lies in \d+ from byte \d+ of weights\.bin, which has 4000/,
  },
  'a weight that begins after its file': {
    bytes: () => folded('Neg', [tensor('w', FLOAT, [4], { location: 'weights.bin', offset: 1_000_000 })], ['w']),
    refusal: /the weight w takes \d+ bytes, and lies in \d+ from byte \d+ of weights\.bin, which has 4000/,
  },
  'a sparse weight of 800 million': {
    bytes: () => {
      const sparse = Buffer.concat([
        field(1, tensor('w', FLOAT, [1], Buffer.alloc(4))),
        field(2, int64s('', [0])),
        field(3, ENTRIES),
      ])
      return file({ nodes: [node('Neg', ['w'], ['y'])], more: [field(15, sparse)] })
    },
    refusal: /the sparse weight w makes at least 800000000 numbers/,
  },
}
