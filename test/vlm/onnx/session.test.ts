import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { listSupportedBackends } from 'onnxruntime-node'
import t from 'tap'
import { openSessions, type Session } from '../../../src/vlm/onnx/session.js'
import { MODELS } from '../../support/goldens.js'
import { HOSTILE } from '../../support/onnx/hostile.js'

const GRAPH = `${MODELS}tiny/onnx/embed_tokens.onnx`
const hasCuda = listSupportedBackends().some(({ name, bundled }) => name === 'cuda' && bundled)

t.test('a graph declares its names, types and ranks, and runs', async t => {
  const { sessions, provider, reason } = await openSessions([GRAPH], 'cpu', 1)
  const [session] = sessions
  if (!session) return t.fail('no session')
  t.equal(provider, 'cpu')
  t.equal(reason, 'EXECUTION_PROVIDER=cpu')
  t.match(session.inputs.get('input_ids'), { type: 'int64', shape: { length: 2 } })
  const { inputs_embeds } = await session.run({ input_ids: { data: BigInt64Array.of(1n, 2n), dims: [1, 2] } })
  t.same(inputs_embeds?.dims, [1, 2, 64])
  t.type(inputs_embeds?.data, Float32Array)
  await t.rejects(session.run({}), { message: /input_ids was not fed/ })
  await session.close()
})

t.test('only the outputs that are wanted are given', async t => {
  const { sessions } = await openSessions([`${MODELS}tiny/onnx/decoder_model_merged.onnx`], 'cpu', 1)
  const session = sessions[0] as Session
  t.teardown(() => session.close())
  const past = [...session.inputs].filter(([name]) => name.startsWith('past_key_values.'))
  const feeds = {
    inputs_embeds: { data: new Float32Array(3 * 64).fill(0.1), dims: [1, 3, 64] },
    attention_mask: { data: BigInt64Array.of(1n, 1n, 1n), dims: [1, 3] },
    logit_indices: { data: BigInt64Array.of(2n), dims: [1, 1] },
    ...Object.fromEntries(past.map(([name]) => [name, { data: new Float32Array(0), dims: [1, 2, 0, 16] }])),
  }
  const all = await session.run(feeds)
  t.same(Object.keys(all), ['logits', 'cache_update'])
  t.same(all.cache_update?.dims, [1, 8, 3, 16])
  const { logits, ...others } = await session.run(feeds, ['logits'])
  t.same(logits?.data, all.logits?.data)
  t.same(others, {})
})

t.test(
  'without CUDA: `auto` says so and takes the CPU, `cuda` is an error',
  { skip: hasCuda && 'CUDA is here' },
  async t => {
    const { sessions, provider, reason } = await openSessions([GRAPH], 'auto', null)
    t.equal(provider, 'cpu')
    t.match(reason, /^auto: CUDA cannot be had \(.+\)/)
    await sessions[0]?.close()
    await t.rejects(openSessions([GRAPH], 'cuda', null), { code: 'invalid_config', message: /EXECUTION_PROVIDER=cuda/ })
  },
)

t.test('each provider may have graphs of its own', { skip: hasCuda && 'CUDA is here' }, async t => {
  const files = { cpu: [GRAPH], cuda: ['/nowhere.onnx'] }
  const { sessions, provider } = await openSessions(files, 'auto', 1)
  t.equal(provider, 'cpu')
  t.ok(sessions[0]?.inputs.has('input_ids'))
  await sessions[0]?.close()
})

t.test('a broken graph is `invalid_model` whatever the provider, and is named', async t => {
  const dir = t.testdir({ 'noise.onnx': 'no graph at all' })
  copyFileSync(GRAPH, `${dir}/short.onnx`)
  writeFileSync(`${dir}/short.onnx`, readFileSync(GRAPH).subarray(0, 1000))
  for (const provider of ['cpu', 'auto', 'cuda'] as const)
    for (const file of ['noise.onnx', 'short.onnx', 'absent.onnx'])
      await t.rejects(openSessions([`${dir}/${file}`], provider, 1), {
        code: 'invalid_model',
        message: new RegExp(file),
      })
})

t.test('a graph that means harm is refused whatever the provider, before it is opened', async t => {
  const dir = t.testdir()
  writeFileSync(`${dir}/harm.onnx`, HOSTILE['a Loop of 2^62 trips']?.bytes() ?? '')
  const steps: string[] = []
  for (const provider of ['cpu', 'auto', 'cuda'] as const)
    await t.rejects(
      openSessions([`${dir}/harm.onnx`], provider, 1, null, (doing, file) => steps.push(`${doing} ${file}`)),
      { code: 'invalid_model', message: /harm\.onnx is not loaded.*Loop runs 4611686018427387904 times/ },
    )
  t.same([...new Set(steps)], [`checking ${dir}/harm.onnx`])
})
