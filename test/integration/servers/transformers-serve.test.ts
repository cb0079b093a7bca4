/** `transformers serve` as a target: Hugging Face's own server. */
import t from 'tap'
import { ANSWER, noServers, startTransformersServe } from '../../support/servers.js'
import { askThrough } from './ask.js'

t.setTimeout(600_000)

t.test('transformers serve', { skip: noServers }, async t => {
  const serve = await startTransformersServe(t)
  const ask = await askThrough(t, { serve, other: { ...serve, model: 'another-model' } })

  await t.test('answers from the page and the crop, and says what they cost', async t => {
    const { status, body } = await ask('serve', { compare: true })
    t.equal(status, 200)
    t.match(body, {
      decision: 'zoomed',
      answer: ANSWER,
      finish_reason: 'stop',
      compare: { answer: ANSWER, agrees: true, finish_reason: 'stop' },
      target: { name: 'serve', model: serve.model, usage: { completion_tokens: 9 } },
    })
    const full = await ask('serve', { mode: 'full' })
    // one picture more: 64 tokens, a token before and one after them, and one that says that it is the whole picture
    t.equal(tokens(body) - tokens(full.body), 67)
  })

  await t.test('an answer that is cut', async t => {
    const { body } = await ask('serve', { max_tokens: 2 })
    t.match(body, { answer: 'The total', finish_reason: 'length', target: { usage: { completion_tokens: 2 } } })
  })

  await t.test('a model that it does not serve', async t => {
    const { status, body } = await ask('other')
    t.equal(status, 502)
    t.match(body.error, {
      code: 'target_failed',
      message: /^The target replied 400: it has no such model; check TARGET_MODEL\. It said: Server is pinned to/,
      details: { status: 400, crop: { decision: 'zoomed' } },
    })
  })
})

function tokens({ target }: { target: { usage: { prompt_tokens: number } | null } }): number {
  return target.usage?.prompt_tokens ?? Number.NaN
}
