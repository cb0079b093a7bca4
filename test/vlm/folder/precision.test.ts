import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { readManifests } from '../../../src/vlm/folder/manifest.js'
import { MODELS } from '../../support/goldens.js'

interface Folder {
  /** Precisions that it has beside fp32. */
  precisions?: readonly string[]
  /** Entries of its `cropvlm.json`; null: it has none. */
  ours?: Record<string, unknown> | null
}

/** A folder with graphs of those names; what is in them does not matter here. */
function folder(t: Test, { precisions = [], ours = {} }: Folder = {}) {
  const dir = `${t.testdir()}/model`
  cpSync(`${MODELS}${ours ? 'tiny' : 'tiny-hub'}`, dir, { recursive: true })
  for (const graph of ['vision_encoder', 'embed_tokens', 'decoder_model_merged'])
    for (const precision of precisions) cpSync(`${dir}/onnx/${graph}.onnx`, `${dir}/onnx/${graph}_${precision}.onnx`)
  if (ours) {
    const file = `${dir}/cropvlm.json`
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...ours }))
  }
  return async (role: 'cropper' | 'target' = 'cropper', precision: string | null = null) => {
    const { cpu, cuda } = await readManifests({ dir, role, precision, verifyHashes: false })
    return { cpu: cpu.info, cuda: cuda.info, graphs: cpu.graphs }
  }
}

const int8 = (parity: Record<string, unknown>) => ({ scores: { parity: { int8: parity } } })

t.test('CUDA: fp16 where it is there', async t => {
  const read = folder(t, { precisions: ['fp16', 'int8'], ours: int8({ box_iou: 1 }) })
  t.match((await read()).cuda, { precision: 'fp16', precisionReason: 'the fastest on CUDA' })
  t.match((await folder(t)()).cuda, { precision: 'fp32', precisionReason: "the folder's own" })
})

t.test('a CPU: int8 where it agrees with fp32', async t => {
  const agrees = folder(t, { precisions: ['fp16', 'int8'], ours: int8({ box_iou: 0.98, answers_equal: 0.9 }) })
  const { cpu, graphs } = await agrees()
  t.match(cpu, { precision: 'int8', precisionReason: /as good: its box_iou with fp32 is 0\.98/ })
  t.match(graphs.decoder, /decoder_model_merged_int8\.onnx$/)
  t.match((await agrees('target')).cpu, {
    precision: 'fp32',
    precisionReason: /the answers_equal of int8 with fp32 is 0\.9, below 0\.98/,
  })
  const target = folder(t, { precisions: ['int8'], ours: int8({ answers_equal: 0.99 }) })
  t.equal((await target('target')).cpu.precision, 'int8')
  t.match((await target()).cpu, { precision: 'fp32', precisionReason: /the box_iou of int8 with fp32 is not known/ })
})

t.test('a CPU: what nobody measured is not taken', async t => {
  const hub = folder(t, { precisions: ['int8'], ours: null })
  t.match((await hub()).cpu, { precision: 'fp32', precisionReason: /not known/ })
  const text = folder(t, { precisions: ['int8'], ours: int8({ box_iou: 'high' }) })
  t.equal((await text()).cpu.precision, 'fp32')
})

t.test("the folder's own choice, and the operator's", async t => {
  const read = folder(t, { precisions: ['int8', 'q4'], ours: { default_precision: 'q4', ...int8({ box_iou: 0.5 }) } })
  t.match(await read(), { cpu: { precision: 'q4' }, cuda: { precision: 'q4' } })
  const asked = await read('cropper', 'int8')
  t.match(asked, { cpu: { precision: 'int8', precisionReason: 'asked for' }, cuda: { precision: 'int8' } })
  const missing = folder(t, { ours: { default_precision: 'q4' } })
  await t.rejects(missing(), { code: 'invalid_model', message: /vision_encoder_q4\.onnx: the file is missing/ })
})
