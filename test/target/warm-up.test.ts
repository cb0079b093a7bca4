import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { makeTargets } from '../../src/target/targets.js'
import { warmUp } from '../../src/target/warm-up.js'
import { scriptedEngine } from '../support/fakes/scripted-engine.js'
import { completion, json, upstream } from '../support/fakes/upstream.js'

t.test('each endpoint is asked once, and how it went is a line', async t => {
  const good = await upstream(t, completion('Blue.'))
  const bad = await upstream(t, json(401, { error: { message: 'no such key: sk-secret-key' } }))
  const TARGETS = JSON.stringify([
    { name: 'good', base_url: good.baseUrl, model: 'qwen', api_key: 'sk-secret-key' },
    { name: 'bad', base_url: bad.baseUrl, model: 'gpt', api_key: 'sk-secret-key' },
    { name: 'mini', model: 'local:models/smolvlm-mini' },
    { name: 'text', model: 'local:text' },
  ])
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const engine = scriptedEngine()
  await warmUp(makeTargets(readConfig({ TARGETS }), engine).values(), log)
  t.same(engine.jobs, [], 'what the engine runs is warm when it is ready')
  t.equal(lines.length, 2)
  t.match(
    lines.find(({ target }) => target === 'good'),
    { level: 30, model: 'qwen', ms: Number, msg: 'the target good has answered, and is warm' },
  )
  t.match(
    lines.find(({ target }) => target === 'bad'),
    {
      level: 40,
      code: 'target_failed',
      msg: /^the target bad was asked to warm up: The target replied 401.+TARGET_API_KEY/,
    },
  )
  t.notMatch(JSON.stringify(lines), /secret/)
  t.equal(good.received.length, 1)
  const [picture, text] = good.received[0]?.body.messages?.[0]?.content ?? []
  t.match(text, { type: 'text', text: /colour/ })
  const [, base64 = ''] = /^data:image\/png;base64,(.+)$/.exec(picture?.image_url?.url ?? '') ?? []
  t.match(await sharp(Buffer.from(base64, 'base64')).metadata(), { format: 'png', width: 64, height: 64 })
})

t.test('it counts as the first answer', async t => {
  let calls = 0
  const { baseUrl } = await upstream(t, (...call) => {
    if (++calls === 1) completion('Blue.')(...call)
  })
  const env = { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'm', TARGET_TIMEOUT_MS: '100' }
  const targets = makeTargets(readConfig(env), scriptedEngine())
  await warmUp(targets.values(), pino({ level: 'silent' }))
  const [target] = targets.values()
  const picture = { mediaType: 'image/png', width: 1, height: 1, bytes: new Uint8Array([1]) }
  const limits = { signal: new AbortController().signal, deadline: Date.now() + 60_000 }
  const request = { full: picture, crop: null, question: 'q', maxTokens: 5, temperature: 0, ...limits }
  await t.rejects(target?.answer(request) as Promise<unknown>, { message: /\(TARGET_TIMEOUT_MS\)\.$/ })
})
