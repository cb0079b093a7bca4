/** llama.cpp's own server as a target. */
import t from 'tap'
import { ANSWER, noServers, startLlamaCpp } from '../../support/servers.js'
import { answersFromBoth, askThrough } from './ask.js'

t.setTimeout(600_000)

t.test('llama.cpp', { skip: noServers }, async t => {
  const [llama, small, blind] = await Promise.all([
    startLlamaCpp(t),
    startLlamaCpp(t, { context: 256 }),
    startLlamaCpp(t, { multimodal: false }),
  ])
  const ask = await askThrough(t, { llama, small, blind, other: { ...llama, model: 'another-model' } })

  // one picture more: it is cut into the whole and one tile, with 64 tokens and 3 around them each
  await answersFromBoth(t, ask, { name: 'llama', model: llama.model, pictureTokens: 134 })

  await t.test('an answer that is cut', async t => {
    const { body } = await ask('llama', { max_tokens: 2 })
    t.match(body, { answer: 'The total', finish_reason: 'length', target: { usage: { completion_tokens: 2 } } })
  })

  await t.test('it serves its model under any name', async t => {
    t.match(await ask('other'), { status: 200, body: { answer: ANSWER, target: { model: 'another-model' } } })
  })

  await t.test('pictures and a question that are longer than its context', async t => {
    const { status, body } = await ask('small')
    t.equal(status, 502)
    t.match(body.error, {
      code: 'target_failed',
      message:
        /^The target replied 400: the request is longer than its context; lower TARGET_FULL_EDGE and TARGET_CROP_EDGE/,
      details: {
        status: 400,
        code: '400',
        reason: /request \(\d+ tokens\) exceeds the available context size \(256 tokens\)/,
        crop: { decision: 'zoomed' },
      },
    })
  })

  await t.test('a model without its vision encoder', async t => {
    const { status, body } = await ask('blind')
    t.equal(status, 502)
    t.match(body.error, {
      code: 'target_failed',
      message: /^The target replied 500: its model reads no images; .*--mmproj/,
      details: { status: 500, code: '500', crop: { decision: 'zoomed' } },
    })
  })

  await t.test('as the cropper: its words hold no box, which is told', async t => {
    const asCropper = { CROPPER_BASE_URL: llama.baseUrl, CROPPER_MODEL: llama.model, CROPPER_TIMEOUT_MS: '200000' }
    const askBoth = await askThrough(t, { llama }, asCropper)
    t.match(await askBoth('llama'), {
      status: 200,
      body: { decision: 'fallback', reason: 'no_box', raw: ANSWER, answer: ANSWER },
    })
  })
})
