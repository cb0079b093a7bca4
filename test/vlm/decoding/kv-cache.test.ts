import t from 'tap'
import { KvCache } from '../../../src/vlm/decoding/kv-cache.js'
import type { Session, TensorSpec, TensorValue } from '../../../src/vlm/onnx/session.js'

const HEADS = 2
const DIM = 2
const CAPACITY = 4
const PARTS = ['past_key_values.0.key', 'past_key_values.0.value']

const session = (type: string): Session => ({
  inputs: new Map<string, TensorSpec>([
    ['inputs_embeds', { type: 'float32', shape: ['batch', 'length', 8] }],
    ...PARTS.map(name => [name, { type, shape: ['batch', HEADS, 'capacity', DIM] }] as const),
  ]),
  run: async () => ({}),
  close: async () => {},
})

/** `[2 rows, 4 heads of both parts, fed, 2]`, each value another. */
const update = (fed: number, type: Float32ArrayConstructor | Uint16ArrayConstructor): TensorValue => {
  const dims = [2, PARTS.length * HEADS, fed, DIM]
  const size = dims.reduce((a, b) => a * b)
  return { data: type.from(Array.from({ length: size }, (_, i) => i + 1)), dims }
}

for (const [name, type] of [
  ['float32', Float32Array],
  ['float16', Uint16Array],
] as const) {
  t.test(`${name}: what a run adds goes after the row's own past, padding left out`, async t => {
    const cache = new KvCache(session(name), { heads: 0, headDim: 0 }, 3, CAPACITY)
    cache.append(2, 1, update(3, type), 1, 2)
    const inputs = cache.inputs(2, 1)
    t.same(Object.keys(inputs), PARTS)
    for (const [i, part] of PARTS.entries()) {
      const { data, dims } = inputs[part] as TensorValue
      t.same(dims, [1, HEADS, CAPACITY, DIM])
      t.type(data, type)
      // row 1 of the update, whose heads of this part begin at 24 + 12 i, each of three tokens
      const from = 25 + 12 * i
      const head = (first: number) => [0, 0, first, first + 1, first + 2, first + 3, 0, 0]
      t.same([...data].map(Number), [...head(from), ...head(from + 6)])
    }
    t.ok([...Object.values(cache.inputs(0, 2))].every(({ data }) => [...data].every(value => Number(value) === 0)))

    const saved = cache.save(2, 3)
    cache.load(0, saved)
    t.same(cache.inputs(0, 1), cache.inputs(2, 1))
  })
}

t.test('what does not fit is an error, not a garbled past', async t => {
  const cache = new KvCache(session('float16'), { heads: 0, headDim: 0 }, 2, CAPACITY)
  const good = update(1, Uint16Array)
  for (const wrong of [
    update(1, Float32Array),
    { ...good, dims: [2, 2, 2, DIM] },
    { ...good, dims: [2, 4, 2, 1] },
    { ...good, dims: [16] },
  ])
    t.throws(() => cache.append(0, 0, wrong, 0, 1), { message: /does not fit/ })
})
