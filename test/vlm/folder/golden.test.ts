/** What the service reads of `cropvlm.json` is what the trainer writes there (`fixtures/golden/contract.json`). */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { readManifests } from '../../../src/vlm/folder/manifest.js'
import { goldenCases, MODELS } from '../../support/goldens.js'

type Role = 'cropper' | 'target'

interface Folder {
  kind: string
  format: number
  prompt_contract: number
  scores: Record<Role, string[]>
}

const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged']
const [written] = goldenCases<Folder>('contract.json').filter(({ kind }) => kind === 'folder')
if (!written) throw new Error('contract.json has no case of a folder')

/** The precision taken on a CPU of a folder with fp32 and int8 graphs and these entries in its `cropvlm.json`. */
async function precisionOf(dir: string, role: Role, entries: object): Promise<string> {
  cpSync(`${MODELS}tiny`, dir, { recursive: true })
  for (const graph of GRAPHS) cpSync(`${dir}/onnx/${graph}.onnx`, `${dir}/onnx/${graph}_int8.onnx`)
  const file = `${dir}/cropvlm.json`
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...entries }))
  const { cpu } = await readManifests({ dir, role, precision: null, verifyHashes: false })
  return cpu.info.precision
}

t.test('versions of the folder and of the prompts', async t => {
  const { format, prompt_contract } = written
  const dir = t.testdir()
  t.equal(await precisionOf(dir, 'cropper', { format, prompt_contract }), 'fp32')
  for (const change of [-1, 1]) {
    const [otherFormat, otherPrompts] = [format + change, prompt_contract + change]
    await t.rejects(precisionOf(dir, 'cropper', { format: otherFormat, prompt_contract }), { code: 'invalid_model' })
    await t.rejects(precisionOf(dir, 'cropper', { format, prompt_contract: otherPrompts }), { code: 'invalid_model' })
  }
})

t.test('how well int8 agrees with fp32', async t => {
  for (const role of ['cropper', 'target'] as const) {
    const keys = written.scores[role]
    const scores = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 0.99)
    t.equal(await precisionOf(t.testdir(), role, { scores }), 'int8', `scores.${keys.join('.')} of a ${role}`)
  }
})
