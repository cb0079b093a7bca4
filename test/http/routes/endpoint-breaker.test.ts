/** An endpoint that is down, as callers and operators see it. */
import t from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { completion, json, upstream } from '../../support/fakes/upstream.js'

const ASK = { image: IMAGE, question: 'q' }

t.test('a target that is down: the box at once, the time of the next try, and no more calls', async t => {
  const { baseUrl, received } = await upstream(t, json(503, { error: 'loading model' }))
  const { app } = await makeApp(t, {}, { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm', TARGET_BREAKER_MS: '3600000' })
  const info = async () => (await app.inject({ url: '/info' })).json().targets[0].breaker
  const metrics = async () => (await app.inject({ url: '/metrics' })).body
  t.match(await metrics(), 'cropvlm_target_breaker_open{target="default"} 0')
  t.same(await info(), { open: false, failures: 0, retry_in_ms: null })
  for (let i = 0; i < 3; i++) {
    const { status, headers, body } = await post(app, '/answer', ASK)
    t.equal(status, 502)
    t.match(body.error, { code: 'target_failed', details: { status: 503, reason: 'loading model' } })
    t.notOk('retry-after' in headers)
  }
  const { status, headers, body } = await post(app, '/answer', ASK)
  t.equal(status, 502)
  t.equal(headers['retry-after'], '3600')
  t.match(body.error, {
    code: 'target_failed',
    source: 'target',
    message: /not asked now: it failed 3 times in a row .+ The next try is in 3600 s\./,
    details: { status: null, breaker: 'open', crop: { object: 'crop', bbox: [12, 5, 80, 47], decision: 'zoomed' } },
  })
  t.equal(received.length, 3)
  t.equal((await post(app, '/crop', ASK)).status, 200, '/crop needs no target')
  t.match(await info(), { open: true, failures: 3 })
  const text = await metrics()
  t.match(text, 'cropvlm_target_breaker_open{target="default"} 1')
  t.match(text, 'cropvlm_target_requests_total{target="default",outcome="failed"} 3')
  t.match(text, 'cropvlm_target_requests_total{target="default",outcome="not_asked"} 1')
  t.match(text, 'cropvlm_target_duration_seconds_count{target="default"} 3')
  t.match(text, 'cropvlm_cropper_breaker_open 0')
})

t.test('only the target that is down is not asked; one in the engine has no breaker', async t => {
  const down = await upstream(t, json(500, {}))
  const up = await upstream(t, completion('yes'))
  const TARGETS = JSON.stringify([
    { name: 'down', base_url: down.baseUrl, model: 'm' },
    { name: 'up', base_url: up.baseUrl, model: 'm' },
    { name: 'mini', model: 'local:models/smolvlm-mini' },
  ])
  const { app } = await makeApp(t, {}, { TARGETS, TARGET_BREAKER_FAILURES: '1', LOCAL_TARGET_MODEL: '' })
  await post(app, '/answer', ASK)
  t.match((await post(app, '/answer', ASK)).body.error.details, { breaker: 'open' })
  for (const target of ['up', 'mini']) t.equal((await post(app, '/answer', { ...ASK, target })).status, 200, target)
  t.match((await app.inject({ url: '/info' })).json().targets, [
    { breaker: { open: true } },
    { breaker: { open: false } },
    { breaker: null },
  ])
  t.notMatch((await app.inject({ url: '/metrics' })).body, 'breaker_open{target="mini"}')
})

t.test('TARGET_BREAKER_FAILURES=0 asks always', async t => {
  const { baseUrl, received } = await upstream(t, json(500, {}))
  const env = { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm', TARGET_BREAKER_FAILURES: '0' }
  const { app } = await makeApp(t, {}, env)
  for (let i = 0; i < 5; i++) t.match((await post(app, '/answer', ASK)).body.error.details, { status: 500 })
  t.equal(received.length, 5)
  t.equal((await app.inject({ url: '/info' })).json().targets[0].breaker, null)
})

t.test('the endpoint of a cropper as well, told as the cropper', async t => {
  const { baseUrl, received } = await upstream(t, json(500, {}))
  const env = { CROPPER: 'openai', CROPPER_BASE_URL: baseUrl, CROPPER_MODEL: 'qwen3-vl' }
  const { app } = await makeApp(t, {}, { ...env, TARGET_BREAKER_FAILURES: '2', TARGET_BREAKER_MS: '60000' })
  for (let i = 0; i < 2; i++) t.match((await post(app, '/crop', ASK)).body.error.details, { status: 500 })
  const { status, headers, body } = await post(app, '/crop', ASK)
  t.equal(status, 502)
  t.equal(headers['retry-after'], '60')
  t.match(body.error, { code: 'cropper_failed', source: 'cropper', details: { breaker: 'open' } })
  t.equal(received.length, 2)
  t.match((await app.inject({ url: '/info' })).json().cropper, { name: 'openai', breaker: { open: true, failures: 2 } })
  t.match((await app.inject({ url: '/metrics' })).body, 'cropvlm_cropper_breaker_open 1')
})
