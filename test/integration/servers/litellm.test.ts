/** A LiteLLM proxy as a target, in front of `transformers serve` and of what fails. */
import t from 'tap'
import { ANSWER, noServers, startLiteLlm, startLlamaCpp, startTransformersServe } from '../../support/servers.js'
import { askThrough } from './ask.js'

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

  await t.test('answers from the page and the crop, and says what they cost', async t => {
    const { status, body } = await ask('proxy', { compare: true })
    t.equal(status, 200)
    t.match(body, {
      decision: 'zoomed',
      answer: ANSWER,
      compare: { answer: ANSWER, agrees: true },
      target: { name: 'proxy', model: 'tiny', usage: { completion_tokens: 9 } },
    })
    const full = await ask('proxy', { mode: 'full' })
    t.equal(body.target.usage?.prompt_tokens, (full.body.target.usage?.prompt_tokens ?? 0) + 67)
  })

  await t.test('an answer that is cut', async t => {
    const { body } = await ask('proxy', { max_tokens: 2 })
    t.match(body, { answer: 'The total', target: { usage: { completion_tokens: 2 } } })
  })

  const failures = [
    ['a model that it does not know', 'other', { status: 400 }],
    ['a wrong key, which it takes for one of a database', 'wrongKey', { status: 400 }],
    ['no key', 'noKey', { status: 401 }],
    ['a server behind it that is down', 'down', { status: 500 }],
    ['a server behind it that reads no images', 'blind', { status: 500 }],
  ] as const
  for (const [name, target, details] of failures)
    await t.test(name, async t => {
      const { status, body } = await ask(target)
      t.equal(status, 502)
      t.match(body.error, { code: 'target_failed', details: { ...details, crop: { decision: 'zoomed' } } })
    })
})
