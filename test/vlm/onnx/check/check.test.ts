/** Graphs that mean harm are refused before ONNX Runtime sees them; what a real model has is let through. */

import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { ocrFiles } from '../../../../src/ocr/graphs.js'
import { checkGraph } from '../../../../src/vlm/onnx/check/check.js'
import { MODELS } from '../../../support/goldens.js'
import { HOSTILE } from '../../../support/onnx/hostile.js'
import {
  BOOL,
  bool,
  FLOAT,
  field,
  graph,
  INT64,
  int64s,
  model,
  node,
  tensor,
  value,
} from '../../../support/onnx/protobuf.js'

const SOURCES = new URL('../../../../', import.meta.url).pathname

function fileOf(t: Test, bytes: Uint8Array): string {
  const dir = t.testdir({ 'weights.bin': Buffer.alloc(4000) })
  writeFileSync(`${dir}/graph.onnx`, bytes)
  return `${dir}/graph.onnx`
}

for (const [name, { bytes, refusal }] of Object.entries(HOSTILE))
  t.test(name, async t => {
    const file = fileOf(t, bytes())
    const before = process.memoryUsage().rss
    t.throws(() => checkGraph(file), { code: 'invalid_model', message: refusal })
    t.throws(() => checkGraph(file), { message: new RegExp(`^${file} is not loaded.*fetch or export`) })
    const grown = process.memoryUsage().rss - before
    t.ok(grown < 200e6, `${grown} bytes`)
  })

t.test('every real graph that there is here', async t => {
  const folders = [
    ...readdirSync(MODELS).map(name => `${MODELS}${name}/onnx`),
    ...['cropvlm-mini', 'smolvlm-mini'].map(name => `${SOURCES}models/${name}/onnx`),
    `${SOURCES}test/fixtures/graphs`,
    dirname(ocrFiles().detection),
  ]
  const graphs = folders.flatMap(dir =>
    readdirSync(dir)
      .filter(file => file.endsWith('.onnx'))
      .map(file => `${dir}/${file}`),
  )
  t.ok(graphs.length > 20, `${graphs.length} graphs`)
  for (const graph of graphs) checkGraph(graph)
})

/** A Loop, and what its body makes of its condition. */
function loop(trips: readonly Buffer[], nodes: readonly Buffer[], condition: string) {
  const body = graph({
    nodes: [...nodes, node('Neg', ['state'], ['next'])],
    inputs: [value('i', INT64, []), value('go', BOOL, []), value('state')],
    outputs: [value(condition, BOOL, []), value('next')],
  })
  const inputs = [trips.length > 0 ? 'm' : '', 'always', 'x']
  return model(
    graph({
      initializers: [bool('always', true), ...trips],
      nodes: [node('Loop', inputs, ['y'], { body: { graph: body } })],
      inputs: [value('x', FLOAT, ['n'])],
      outputs: [value('y')],
    }),
  )
}

t.test('loops as real models have them', async t => {
  const most = int64s('m', [2n ** 63n - 1n], [])
  const sum = node('ReduceSum', ['state'], ['sum'])
  const isLess = node('Less', ['sum', 'sum'], ['computed'])
  checkGraph(fileOf(t, loop([int64s('m', [32], [])], [], 'go')))
  checkGraph(fileOf(t, loop([most], [sum, isLess], 'computed')))
  checkGraph(fileOf(t, loop([], [sum, isLess, node('Identity', ['computed'], ['copy'])], 'copy')))
  const copied = loop([most], [node('Identity', ['go'], ['copy']), node('Identity', ['copy'], ['again'])], 'again')
  t.throws(() => checkGraph(fileOf(t, copied)), { message: /a Loop runs \d+ times/ }, 'a condition that is handed on')
})

t.test('sizes of which only the least is known are no sizes', async t => {
  const pads = int64s('pads', [0, 0, 0, 0])
  const dim = [
    node('Gather', ['shape', 'last'], ['dim']),
    node('Div', ['dim', 'eight'], ['few']),
    node('Div', ['sixty-four', 'few'], ['count']),
    node('ConstantOfShape', ['count'], ['y']),
  ]
  const numbers = [int64s('last', [1]), int64s('eight', [8]), int64s('sixty-four', [64])]
  const padded = [node('Pad', ['x', 'pads'], ['wide']), node('Shape', ['wide'], ['shape']), ...dim]
  const halved = [node('Resize', ['x', '', 'half'], ['wide']), node('Shape', ['wide'], ['shape']), ...dim]
  const half = tensor('half', FLOAT, [2], Buffer.from(Float32Array.of(0.5, 0.5).buffer))
  const x = [value('x', FLOAT, ['n', 'm'])]
  for (const nodes of [padded, halved])
    checkGraph(
      fileOf(t, model(graph({ initializers: [pads, half, ...numbers], nodes, inputs: x, outputs: [value('y')] }))),
    )
  const table = [
    tensor('table', FLOAT, [4096, 16], Buffer.alloc(4 * 4096 * 16)),
    tensor('row', FLOAT, [1, 4096, 1], Buffer.alloc(4 * 4096)),
    int64s('rest', [4096, -1]),
  ]
  const reshaped = [
    node('Shape', ['x'], ['some']),
    node('Gather', ['some', 'last'], ['batch']),
    node('Concat', ['batch', 'rest'], ['wanted'], { axis: 0 }),
    node('Reshape', ['table', 'wanted'], ['turned']),
    node('Add', ['turned', 'row'], ['y']),
  ]
  const initializers = [...table, int64s('last', [1])]
  checkGraph(fileOf(t, model(graph({ initializers, nodes: reshaped, inputs: x, outputs: [value('y')] }))))
})

t.test('steps of a slice that are no whole numbers', async t => {
  const steps = tensor('steps', FLOAT, [1], Buffer.from(Float32Array.of(1e-12).buffer))
  const initializers = [int64s('list', [1, 2]), int64s('from', [0]), int64s('to', [2]), int64s('axes', [0]), steps]
  const nodes = [node('Slice', ['list', 'from', 'to', 'axes', 'steps'], ['y'])]
  checkGraph(fileOf(t, model(graph({ initializers, nodes, outputs: [value('y')] }))))
})

t.test('weights beside a graph, of every size that numbers have', async t => {
  const weights = [
    tensor('four', 22, [3], { location: 'weights.bin', offset: 8, length: 2 }),
    tensor('half', 10, [5, 2], { location: 'weights.bin', offset: 3980 }),
    tensor('none', FLOAT, [0, 7], Buffer.alloc(0)),
    tensor('scalar', FLOAT, [], Buffer.alloc(4)),
    // as int32_data, one number a varint, and as float_data
    Buffer.concat([field(1, 3), field(2, 10), field(8, 'words'), field(5, 1), field(5, Buffer.from([2, 3]))]),
    Buffer.concat([field(1, 2), field(2, FLOAT), field(8, 'packed'), field(4, Buffer.alloc(8))]),
  ]
  checkGraph(fileOf(t, model(graph({ initializers: weights }))))
  const elsewhere = tensor('w', FLOAT, [1], { location: '../weights.bin' })
  t.throws(() => checkGraph(fileOf(t, model(graph({ initializers: [elsewhere] })))), { message: /leads out of/ })
  const address = tensor('w', FLOAT, [1], { location: '*/_ORT_MEM_ADDR_/*', offset: 140_000_000_000_000, length: 4 })
  t.throws(() => checkGraph(fileOf(t, model(graph({ initializers: [address] })))), { message: /is missing from/ })
})

t.test('what large weights are made into may be as large as they are', async t => {
  const dir = t.testdir({ 'weights.bin': '' })
  truncateSync(`${dir}/weights.bin`, 2 ** 28)
  const weight = tensor('w', 3, [2 ** 14, 2 ** 14], { location: 'weights.bin' })
  writeFileSync(
    `${dir}/graph.onnx`,
    model(graph({ initializers: [weight], nodes: [node('Cast', ['w'], ['y'], { to: 1 })], outputs: [value('y')] })),
  )
  checkGraph(`${dir}/graph.onnx`)
})

t.test('what is no message, whatever it is cut to', async t => {
  const whole = readFileSync(`${MODELS}tiny/onnx/embed_tokens.onnx`)
  for (let length = 0; length < whole.length; length += 997)
    t.throws(() => checkGraph(fileOf(t, whole.subarray(0, length))), { code: 'invalid_model' }, `${length} bytes`)
})
