/** A chat never fails for a zoom (points 8 and 9). */
import { pino } from 'pino'
import t from 'tap'
import { CropVlmError, type ErrorCode } from '../../../../src/errors.js'
import { listen } from '../../../support/fakes/app.js'
import { ask, PAGE_URL, proxied } from '../../../support/fakes/proxy.js'
import { CHAT_REPLY, recorder } from '../../../support/fakes/recorder.js'
import { hang, jobsOf, located, type Script } from '../../../support/fakes/scripted-engine.js'
import { png } from '../../../support/images/pictures.js'

const PATH = '/v1/chat/completions'
const body = (url = PAGE_URL, question = 'What is the total?') => JSON.stringify({ messages: [ask(question, url)] })
const throwing = (code: ErrorCode): Script => ({
  locate: () => {
    throw new CropVlmError(code, 'A fault of the test.')
  },
})

/** What is wrong with the zoom, by the reason that is told. */
const FAULTS: Record<string, { script?: Script; body?: string; env?: Record<string, string> }> = {
  engine_unavailable: { script: throwing('engine_unavailable') },
  queue_full: { script: throwing('queue_full') },
  not_ready: { script: throwing('not_ready') },
  cropper_failed: { script: throwing('cropper_failed') },
  internal_error: {
    script: {
      locate: () => {
        throw new TypeError('a bug')
      },
    },
  },
  image_undecodable: { script: throwing('image_undecodable') },
  too_slow: { script: { locate: hang }, env: { ZOOM_BUDGET_MS: '50' } },
  image_too_large: { body: body(`data:image/png;base64,${png(20_000, 20_000).toString('base64')}`) },
  image_aspect_too_extreme: { body: body(`data:image/png;base64,${png(2000, 10).toString('base64')}`) },
  unsupported_image_format: { body: body(`data:image/gif;base64,${Buffer.from('GIF89a').toString('base64')}`) },
  invalid_base64: { body: body('data:image/png;base64,####') },
  question_too_long: { body: body(PAGE_URL, 'x'.repeat(2001)) },
}

for (const [reason, { script = {}, env = {}, body: sent = body() }] of Object.entries(FAULTS)) {
  t.test(`${reason}: the request goes on as it came, is counted, and told`, async t => {
    const { post, upstream, url } = await proxied(t, env, script)
    const reply = await post(PATH, sent)
    t.equal(reply.status, 200)
    t.equal(await reply.text(), CHAT_REPLY)
    t.equal(upstream.last().body.toString(), sent)
    t.equal(reply.headers.get('x-cropvlm-decision'), 'failed')
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    t.match(metrics, `cropvlm_proxy_requests_total{decision="failed",reason="${reason}"} 1`)
    t.match(metrics, `cropvlm_proxy_open_failures_total{reason="${reason}"} 1`)
    t.match(metrics, 'cropvlm_proxy_zoom_duration_seconds_count{decision="failed"} 1')
  })

  t.test(`${reason} with ZOOM_FAIL=closed: the error, and nothing is forwarded`, async t => {
    const { post, upstream } = await proxied(t, { ...env, ZOOM_FAIL: 'closed' }, script)
    const reply = await post(PATH, sent)
    t.ok(reply.status >= 400)
    t.match(await reply.json(), { error: { code: reason === 'too_slow' ? 'deadline_exceeded' : reason } })
    t.equal(reply.headers.get('x-cropvlm-decision'), 'failed')
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
    t.equal(upstream.requests.length, 0)
  })
}

t.test('with ZOOM_FAIL=closed, no box is an answer', async t => {
  const { post, upstream } = await proxied(t, { ZOOM_FAIL: 'closed', TARGET_FULL_EDGE: '2000' })
  t.equal((await post(PATH, body())).headers.get('x-cropvlm-decision'), 'skipped')
  t.equal(upstream.requests.length, 1)
})

t.test('a fault of the moment is not remembered, one of the image is', async t => {
  let faults: ErrorCode[] = ['queue_full']
  const locate: NonNullable<Script['locate']> = job => {
    const code = faults.shift()
    if (code) throw new CropVlmError(code, 'A fault of the test.')
    return located(job)
  }
  const { post, engine } = await proxied(t, {}, { locate })
  t.equal((await post(PATH, body())).headers.get('x-cropvlm-reason'), 'queue_full')
  t.equal((await post(PATH, body())).headers.get('x-cropvlm-decision'), 'zoomed')
  faults = ['image_undecodable']
  for (const _ of [1, 2]) {
    const reply = await post(PATH, body(PAGE_URL, 'And the date?'))
    t.equal(reply.headers.get('x-cropvlm-reason'), 'image_undecodable')
  }
  t.equal(jobsOf(engine, 'locate').length, 3)
})

t.test('of several crops those that are found are put in', async t => {
  const locate: NonNullable<Script['locate']> = (job, call) =>
    job.questions[0] === 'slow' ? hang(job, call) : located(job)
  const { post, upstream, url } = await proxied(t, { ZOOM_BUDGET_MS: '50' }, { locate })
  const messages = [ask('What is the total?'), { role: 'assistant', content: '1' }, { role: 'user', content: 'slow' }]
  const reply = await post(PATH, { messages })
  t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  const sent = JSON.parse(upstream.last().body.toString()).messages
  t.equal(sent[0].content.length, 4)
  t.equal(sent[2].content, 'slow')
  t.match(await (await fetch(`${url}/metrics`)).text(), 'cropvlm_proxy_open_failures_total{reason="too_slow"} 1')
})

t.test('a bug is logged, though the chat goes on', async t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const { baseUrl } = await recorder(t)
  const env = { TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm' }
  const { url } = await listen(t, FAULTS.internal_error?.script ?? {}, env, { log })
  t.equal((await fetch(url + PATH, { method: 'POST', body: body() })).status, 200)
  t.match(
    lines.find(({ level }) => level === 50),
    { msg: 'no crop was found', code: 'internal_error', err: { cause: { message: 'a bug' } } },
  )
})
