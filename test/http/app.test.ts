import t from 'tap'
import { IMAGE, makeApp, post } from '../support/fakes/app.js'
import { scriptedEngine } from '../support/fakes/scripted-engine.js'

const UUID = /^[0-9a-f-]{36}$/

t.test('request ids: a sane one is taken over, any other replaced', async t => {
  const { app } = await makeApp(t)
  const ask = (id: string) => app.inject({ url: '/health', headers: { 'x-request-id': id } })
  t.equal((await ask('job-7:a/b')).headers['x-request-id'], 'job-7:a/b')
  for (const id of ['', 'a b', 'x'.repeat(129), 'a"b', '<script>'])
    t.match((await ask(id)).headers['x-request-id'], UUID)
  const { headers, body } = await post(app, '/crop', { question: 'q' }, { 'x-request-id': 'mine' })
  t.equal(headers['x-request-id'], 'mine')
  t.equal(body.request_id, 'mine')
})

t.test('404 and 405 are in the envelope, whatever the body', async t => {
  const { app } = await makeApp(t)
  const lost = await app.inject({
    method: 'POST',
    url: '/crops?a=1',
    payload: '{"broken',
    headers: { 'content-type': 'application/json' },
  })
  t.equal(lost.statusCode, 404)
  t.match(lost.json(), { error: { code: 'not_found', type: 'invalid_request_error', param: null }, request_id: UUID })
  const wrong = await app.inject({ method: 'GET', url: '/crop?a=1' })
  t.equal(wrong.statusCode, 405)
  t.equal(wrong.headers.allow, 'POST')
  t.equal(wrong.json().error.code, 'method_not_allowed')
  const other = await app.inject({ method: 'DELETE', url: '/info' })
  t.equal(other.headers.allow, 'GET, HEAD')
  t.equal((await app.inject({ url: '/%zz' })).json().error.code, 'invalid_body')
})

t.test('a key is asked of every route but health, metrics and documentation', async t => {
  const { app, engine } = await makeApp(t, {}, { API_KEY: 'sesame' })
  const fields = { image: IMAGE, question: 'q' }
  for (const authorization of ['', 'Bearer', 'Bearer wrong', 'Bearer sesame1', 'Basic sesame', 'sesame']) {
    const { status, headers, body } = await post(app, '/crop', fields, { authorization })
    t.equal(status, 401, authorization)
    t.match(body.error, { code: 'invalid_api_key', type: 'authentication_error', message: /key/ })
    t.equal(headers['www-authenticate'], 'Bearer')
  }
  for (const url of ['/info', '/nowhere', '/docs/nowhere']) t.equal((await app.inject({ url })).statusCode, 401, url)
  for (const url of ['/health', '/health/live', '/health/ready', '/metrics', '/openapi.json'])
    t.equal((await app.inject({ url })).statusCode, 200, url)
  for (const url of ['/docs', '/docs/', '/docs/json', '/docs/static/swagger-ui.css'])
    t.equal((await app.inject({ url })).statusCode, 200, url)
  t.equal(engine.jobs.length, 0)
  for (const authorization of ['Bearer sesame', 'bearer  sesame'])
    t.equal((await post(app, '/crop', fields, { authorization })).status, 200)
  t.equal((await app.inject({ url: '/openapi.json', headers: { authorization: 'Bearer sesame' } })).statusCode, 200)
})

t.test('a body over the limit is refused by its length, before it is read', async t => {
  const { app } = await makeApp(t, {}, { MAX_BODY_BYTES: '5000' })
  const json = await post(app, '/crop', { json: { image: 'A'.repeat(5000), question: 'q' } })
  const form = await post(app, '/crop', { image: Buffer.alloc(5000), question: 'q' })
  for (const { status, body } of [json, form]) {
    t.equal(status, 413)
    t.match(body.error, { code: 'body_too_large', type: 'invalid_request_error', message: /5000 bytes/ })
  }
})

t.test('information, without secrets', async t => {
  const TARGETS = JSON.stringify([
    {
      name: 'qwen',
      base_url: 'http://gpu.internal/v1',
      model: 'Qwen/Qwen2.5-VL-3B-Instruct',
      api_key: 'sk-secret',
      full_edge: 448,
    },
  ])
  const { app } = await makeApp(t, {}, { TARGETS })
  const response = await app.inject({ url: '/info' })
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), {
    name: 'cropvlm',
    version: '0.1.0',
    models: [
      {
        id: 'cropvlm-mini',
        role: 'cropper',
        revision: 'r1',
        resolutions: [128, 256],
        default_resolution: 128,
        precision: 'fp32',
        precision_reason: "the folder's own",
        sha256: { 'config.json': 'ab' },
        training: { recipe: 'sft', steps: 3 },
        warning: null,
      },
    ],
    reader: null,
    execution_provider: { name: 'cpu', reason: 'asked for' },
    sandbox: { name: null, reason: 'ENGINE_SANDBOX is off.' },
    cropper: {
      name: 'onnx',
      reason: 'CROPPER_MODEL is a model folder',
      model: null,
      dialect: null,
      resolutions: [128, 256],
      warnings: [],
      breaker: null,
    },
    limits: {
      body_bytes: 20_971_520,
      pixels: 50_000_000,
      aspect: 100,
      question_chars: 2000,
      request_timeout_ms: 60_000,
      queue: 64,
      image_urls: false,
    },
    targets: [
      {
        name: 'qwen',
        model: 'Qwen/Qwen2.5-VL-3B-Instruct',
        kind: 'vlm',
        local: false,
        full_longest_edge: 448,
        crop_longest_edge: 1008,
        breaker: { open: false, failures: 0, retry_in_ms: null },
        profile: {
          name: 'qwen2.5-vl',
          crop_enlarge: 8,
          min_side: 28,
          prompt: '{question}\nGive a very brief answer.',
          system: null,
          tokens_field: 'max_tokens',
          takes_temperature: true,
          reasoning_tokens: 0,
        },
      },
    ],
  })
  t.notMatch(response.body, /sk-secret|gpu\.internal/)
  const loading = await makeApp(t, { info: null })
  t.match((await loading.app.inject({ url: '/info' })).json(), { models: [], execution_provider: null })
})

t.test('health', async t => {
  const rows = [
    ['ready', 200, undefined],
    ['loading', 503, 'not_ready'],
    ['restarting', 503, 'engine_unavailable'],
    ['stopped', 503, 'engine_unavailable'],
    ['draining', 503, 'draining'],
  ] as const
  for (const [state, status, code] of rows) {
    const { app } = await makeApp(t, { state })
    const ready = await app.inject({ url: '/health/ready' })
    t.equal(ready.statusCode, status, state)
    t.equal(ready.json().error?.code, code)
    if (code) t.match(ready.headers['retry-after'], /^\d+$/)
    else t.strictSame(ready.json(), { status: 'ready' })
    for (const url of ['/health', '/health/live']) {
      const live = await app.inject({ url })
      t.equal(live.statusCode, 200, state)
      t.strictSame(live.json(), { status: 'live' })
    }
  }
})

t.test('readiness tells what a start is doing', async t => {
  const engine = scriptedEngine({ state: 'loading' })
  const { app } = await makeApp(t, {}, {}, { engine })
  const message = async () => (await app.inject({ url: '/health/ready' })).json().error.message
  t.equal(await message(), 'The models are still loading.')
  engine.step = 'hashing other.onnx, for 3 s'
  t.equal(await message(), 'The models are still loading; it is hashing other.onnx, for 3 s.')
  engine.state = 'restarting'
  t.match(await message(), /being restarted; it is hashing other\.onnx, for 3 s\.$/)
})

t.test('an engine object may be shared by no app: each has its own metrics', async t => {
  const engine = scriptedEngine()
  const one = await makeApp(t, {}, {}, { engine })
  const other = await makeApp(t, {}, {}, { engine })
  await post(one.app, '/crop', { image: IMAGE, question: 'q' })
  t.match((await one.app.inject({ url: '/metrics' })).body, 'cropvlm_requests_total{route="/crop",status="200"} 1')
  t.notMatch((await other.app.inject({ url: '/metrics' })).body, 'route="/crop"')
})
