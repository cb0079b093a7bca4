/** What callers get of the replies of a target: a refusal, its thinking, why it stopped. */
import t, { type Test } from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { FAILING } from '../../support/fakes/odd-target-replies.js'
import { json, type Reply, upstream } from '../../support/fakes/upstream.js'

const ASK = { image: IMAGE, question: 'q' }

async function askOf(t: Test, reply: Reply, fields = {}) {
  const { baseUrl } = await upstream(t, reply)
  const { app } = await makeApp(t, {}, { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm' })
  const answer = await post(app, '/answer', { ...ASK, ...fields })
  return { ...answer, metrics: (await app.inject({ url: '/metrics' })).body }
}

const says = (message: object, finish_reason: string) => ({ choices: [{ message, finish_reason }] })

t.test('a refusal is an answer without a text', async t => {
  const { status, body, metrics } = await askOf(t, json(200, says({ content: null, refusal: 'I cannot.' }, 'stop')))
  t.equal(status, 200)
  t.match(body, { answer: '', refusal: 'I cannot.', finish_reason: 'stop', reasoning: null, bbox: [12, 5, 80, 47] })
  t.match(metrics, 'cropvlm_target_requests_total{target="default",outcome="refused"} 1')
})

t.test('with compare, each answer says of itself', async t => {
  const reply: Reply = (response, received, socket) => {
    const isZoomed = received.body.messages?.[0]?.content.length === 3
    const message = isZoomed ? { content: '482', reasoning_content: 'It is small.' } : { refusal: 'Too small.' }
    json(200, says(message, isZoomed ? 'length' : 'stop'))(response, received, socket)
  }
  const { body } = await askOf(t, reply, { compare: 'true' })
  t.match(body, { answer: '482', finish_reason: 'length', refusal: null, reasoning: 'It is small.' })
  t.strictSame(body.compare, {
    answer: '',
    finish_reason: 'stop',
    refusal: 'Too small.',
    reasoning: null,
    agrees: false,
    usage: null,
  })
})

t.test('no answer: 502 with the reason and the box', async t => {
  const { reply, message } = FAILING['one image (vLLM)'] as (typeof FAILING)[string]
  const { status, body } = await askOf(t, reply)
  t.equal(status, 502)
  t.match(body.error, {
    message,
    details: { status: 400, reason: /^At most 1 image/, crop: { bbox: [12, 5, 80, 47] } },
  })
})
