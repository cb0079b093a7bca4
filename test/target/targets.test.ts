import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { CropVlmError } from '../../src/errors.js'
import type { TargetRequest } from '../../src/target/target.js'
import { makeTargets } from '../../src/target/targets.js'
import { hang, scriptedEngine } from '../support/fakes/scripted-engine.js'

const picture = { mediaType: 'image/png', width: 2, height: 2, bytes: new Uint8Array([1]) }

function request(more: Partial<TargetRequest> = {}): TargetRequest {
  const limits = { signal: new AbortController().signal, deadline: Date.now() + 60_000 }
  return { full: picture, crop: null, question: 'q', maxTokens: 5, temperature: 0.5, ...limits, ...more }
}

t.test('one for each that is configured, in order', async t => {
  const TARGETS = JSON.stringify([
    {
      name: 'qwen',
      base_url: 'http://127.0.0.1:1/v1',
      model: 'Qwen/Qwen2.5-VL-3B-Instruct',
      full_edge: 448,
      crop_edge: 512,
    },
    { name: 'mini', model: 'local:models/smolvlm-mini', resolution: 256 },
  ])
  const targets = makeTargets(readConfig({ TARGETS }), scriptedEngine())
  t.strictSame([...targets.keys()], ['qwen', 'mini'])
  t.match(targets.get('qwen'), { fullLongestEdge: 448, cropLongestEdge: 512, local: false })
  t.match(targets.get('mini'), { model: 'smolvlm-mini', fullLongestEdge: null, cropLongestEdge: null, local: true })
})

const LOCAL = { LOCAL_TARGET_MODEL: 'models/smolvlm-mini' }

t.test('with nothing configured, the text reader', async t => {
  const targets = makeTargets(readConfig({}), scriptedEngine())
  t.strictSame([...targets.keys()], ['local'])
  t.match(targets.get('local'), { kind: 'reader', model: /^pp-ocr/i, local: true })
})

t.test('a model folder instead', async t => {
  const engine = scriptedEngine()
  const targets = makeTargets(readConfig(LOCAL), engine)
  t.strictSame([...targets.keys()], ['local'])
  t.match(await targets.get('local')?.answer(request()), {
    text: 'unanswerable',
    finishReason: 'stop',
    refusal: null,
    reasoning: null,
    usage: { promptTokens: 512 },
  })
  t.match(engine.jobs, [{ kind: 'generate', model: 'local', maxTokens: 5, temperature: 0.5, resolution: null }])
})

t.test("a local target's own timeout, the deadline, and an abort", async t => {
  const engine = scriptedEngine({ generate: hang })
  const impatient = makeTargets(readConfig({ ...LOCAL, TARGET_TIMEOUT_MS: '100' }), engine).get('local')
  await t.rejects(impatient?.answer(request()) as Promise<unknown>, { code: 'target_timeout' })
  const local = makeTargets(readConfig(LOCAL), engine).get('local')
  await t.rejects(local?.answer(request({ deadline: Date.now() + 20 })) as Promise<unknown>, { code: 'target_timeout' })
  const client = new AbortController()
  const aborted = local?.answer(request({ signal: client.signal })) as Promise<unknown>
  client.abort()
  await t.rejects(aborted, { code: 'request_aborted' })
})

t.test('what the engine says of itself is left as it is', async t => {
  for (const code of ['queue_full', 'engine_unavailable', 'not_ready', 'draining'] as const) {
    const generate = () => {
      throw new CropVlmError(code, 'So it is.', { retryAfter: 2 })
    }
    const local = makeTargets(readConfig(LOCAL), scriptedEngine({ generate })).get('local')
    await t.rejects(local?.answer(request()) as Promise<unknown>, { code, retryAfter: 2 })
  }
})
