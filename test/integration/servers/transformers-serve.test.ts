/** `transformers serve` as a target: Hugging Face's own server. */
import t from 'tap'
import { noServers, startTransformersServe } from '../../support/servers.js'
import { answersFromBoth, askThrough } from './ask.js'

t.setTimeout(600_000)

t.test('transformers serve', { skip: noServers }, async t => {
  const serve = await startTransformersServe(t)
  const ask = await askThrough(t, { serve, other: { ...serve, model: 'another-model' } })

  // one picture more: 64 tokens, a token before and one after them, and one that says that it is the whole picture
  await answersFromBoth(t, ask, { name: 'serve', model: serve.model, pictureTokens: 67 })

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
