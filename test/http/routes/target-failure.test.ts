import t, { type Test } from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'
import { completion, json, type Reply, upstream } from '../../support/fakes/upstream.js'

const ASK = { image: IMAGE, question: 'WHO made it?' }

async function askTarget(test: Test, reply: Reply, more: Record<string, string> = {}, fields = {}) {
  const { baseUrl, received, close } = await upstream(test, reply)
  const env = { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm', TARGET_API_KEY: 'sk-secret', ...more }
  const { app, engine } = await makeApp(test, {}, env)
  const answer = await post(app, '/answer', { ...ASK, ...fields })
  await close()
  return { ...answer, received, engine }
}

t.test('an OpenAI-compatible target sees shrunk JPEGs and its answer comes back', async t => {
  const { status, body, received, engine } = await askTarget(t, completion('Dakota Digital'), {
    TARGET_FULL_EDGE: '448',
    TARGET_CROP_EDGE: 'original',
  })
  t.equal(status, 200)
  t.match(body, {
    answer: 'Dakota Digital',
    target: { name: 'default', model: 'vlm', usage: { prompt_tokens: 512, completion_tokens: 3 } },
  })
  t.match(jobsOf(engine, 'render')[0]?.pictures, [
    { show: 'whole', format: 'jpeg', quality: 90, longestEdge: 448 },
    { show: 'region', format: 'jpeg', quality: 90, longestEdge: null },
  ])
  const urls = received[0]?.body.messages?.[0]?.content.map(part => part?.image_url?.url ?? part?.text)
  const url = (text: string) => `data:image/jpeg;base64,${Buffer.from(text).toString('base64')}`
  t.strictSame(urls, [url('full'), url('region'), 'WHO made it?\nGive a very brief answer.'])
})

t.test('whatever the target does, the reply is 502 or 504 with the box in it', async t => {
  const error = { error: { message: 'sk-secret' } }
  const stall: Reply = () => {}
  const rows: [
    name: string,
    reply: Reply,
    status: number,
    details: Record<string, unknown>,
    env?: Record<string, string>,
  ][] = [
    ['401', json(401, error), 502, { status: 401 }],
    ['429', json(429, error, { 'retry-after': '86400' }), 502, { status: 429, retry_after: 86_400 }],
    ['500', json(500, error), 502, { status: 500 }],
    ['a reset', (_response, _received, socket) => socket.resetAndDestroy(), 502, { status: null }],
    ['HTML', response => response.end('<h1>hi</h1>'), 502, { status: 200 }],
    ['a stall', stall, 504, {}, { TARGET_TIMEOUT_MS: '100', TARGET_FIRST_TIMEOUT_MS: '100' }],
    ['a stall to the deadline', stall, 504, {}, { REQUEST_TIMEOUT_MS: '300' }],
  ]
  for (const [name, reply, status, details, env] of rows) {
    const answer = await askTarget(t, reply, env)
    t.equal(answer.status, status, name)
    const { error: told } = answer.body
    t.match(told, {
      code: status === 502 ? 'target_failed' : 'target_timeout',
      type: 'upstream_error',
      source: 'target',
    })
    t.match(told.details, {
      ...details,
      crop: { bbox: [12, 5, 80, 47], decision: 'zoomed', timings_ms: { vision: 20.5 } },
    })
    t.notMatch(JSON.stringify(answer.body), 'sk-secret', name)
    t.notOk('retry-after' in answer.headers)
  }
})

t.test('with compare one failure is enough, and the other call is given up', async t => {
  const reply: Reply = (response, received, socket) => {
    const pictures = received.body.messages?.[0]?.content.length === 3
    if (!pictures) json(500, {})(response, received, socket)
  }
  const { status, body } = await askTarget(t, reply, {}, { compare: 'true' })
  t.equal(status, 502)
  t.match(body.error, { code: 'target_failed', details: { status: 500, crop: { decision: 'zoomed' } } })
})
