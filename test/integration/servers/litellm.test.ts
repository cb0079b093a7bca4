/** A LiteLLM proxy as a target, in front of `transformers serve` and of what fails. */
import t from 'tap'
import { noServers, startLiteLlm, startLlamaCpp, startTransformersServe } from '../../support/servers.js'
import { answersFromBoth, askThrough } from './ask.js'

t.setTimeout(600_000)

/** Port 9 is for discarding; nothing listens there. */
const DOWN = { baseUrl: 'http://127.0.0.1:9/v1', model: 'any', apiKey: null }

t.test('LiteLLM', { skip: noServers }, async t => {
  const [serve, blind] = await Promise.all([startTransformersServe(t), startLlamaCpp(t, { multimodal: false })])
  const proxy = await startLiteLlm(t, { tiny: serve, down: DOWN, blind })
  const ask = await askThrough(t, {
    proxy,
    other: { ...proxy, model: 'another-model' },
    wrongKey: { ...proxy, apiKey: 'sk-another-key' },
    noKey: { ...proxy, apiKey: null },
    down: { ...proxy, model: 'down' },
    blind: { ...proxy, model: 'blind' },
  })

  await answersFromBoth(t, ask, { name: 'proxy', model: 'tiny', pictureTokens: 67 })

  await t.test('an answer that is cut', async t => {
    const { body } = await ask('proxy', { max_tokens: 2 })
    t.match(body, { answer: 'The total', finish_reason: 'length', target: { usage: { completion_tokens: 2 } } })
  })

  const failures = [
    ['a model that it does not know', 'other', 400, 'it has no such model; check TARGET_MODEL.'],
    ['a wrong key', 'wrongKey', 400, 'it does not take the key; set TARGET_API_KEY. It said: No connected db.'],
    ['no key', 'noKey', 401, 'it does not take the key; set TARGET_API_KEY.'],
    ['a server behind it that reads no images', 'blind', 500, 'its model reads no images; set TARGET_MODEL'],
  ] as const
  for (const [name, target, upstream, message] of failures)
    await t.test(name, async t => {
      const { status, body } = await ask(target)
      t.equal(status, 502)
      t.match(body.error, { code: 'target_failed', details: { status: upstream, crop: { decision: 'zoomed' } } })
      t.match(body.error.message, `The target replied ${upstream}: ${message}`)
    })

  await t.test('a server behind it that is down', async t => {
    const { status, body } = await ask('down')
    t.equal(status, 502)
    t.match(body.error, {
      message: /^The target replied 500\. It said: .*Connection error/,
      details: { status: 500, crop: { decision: 'zoomed' } },
    })
  })
})
