/** llama.cpp's own server as a target. */
import t from 'tap'
import { ANSWER, noServers, startLlamaCpp } from '../../support/servers.js'
import { askThrough } from './ask.js'

t.setTimeout(600_000)

t.test('llama.cpp', { skip: noServers }, async t => {
  const [llama, small, blind] = await Promise.all([
    startLlamaCpp(t),
    startLlamaCpp(t, { context: 256 }),
    startLlamaCpp(t, { multimodal: false }),
  ])
  const ask = await askThrough(t, { llama, small, blind, other: { ...llama, model: 'another-model' } })

  await t.test('answers from the page and the crop, and says what they cost', async t => {
    const { status, body } = await ask('llama', { compare: true })
    t.equal(status, 200)
    t.match(body, {
      decision: 'zoomed',
      answer: ANSWER,
      compare: { answer: ANSWER, agrees: true },
      target: { name: 'llama', model: llama.model, usage: { completion_tokens: 9 } },
    })
    const full = await ask('llama', { mode: 'full' })
    // one picture more: it is cut into the whole and one tile, with 64 tokens and 3 around them each
    t.equal(body.target.usage?.prompt_tokens, (full.body.target.usage?.prompt_tokens ?? 0) + 134)
  })

  await t.test('an answer that is cut', async t => {
    const { body } = await ask('llama', { max_tokens: 2 })
    t.match(body, { answer: 'The total', target: { usage: { completion_tokens: 2 } } })
  })

  await t.test('it serves its model under any name', async t => {
    t.match(await ask('other'), { status: 200, body: { answer: ANSWER, target: { model: 'another-model' } } })
  })

  await t.test('pictures and a question that are longer than its context', async t => {
    const { status, body } = await ask('small')
    t.equal(status, 502)
    t.match(body.error, { code: 'target_failed', details: { status: 400, crop: { decision: 'zoomed' } } })
  })

  await t.test('a model without its vision encoder', async t => {
    const { status, body } = await ask('blind')
    t.equal(status, 502)
    t.match(body.error, { code: 'target_failed', details: { status: 500, crop: { decision: 'zoomed' } } })
  })
})
