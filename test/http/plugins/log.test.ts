import { pino } from 'pino'
import t from 'tap'
import { CropVlmError } from '../../../src/errors.js'
import { guardLog } from '../../../src/http/plugins/log.js'
import { form, IMAGE, listen, makeApp, post } from '../../support/fakes/app.js'
import { located, type Script } from '../../support/fakes/scripted-engine.js'
import { json, upstream } from '../../support/fakes/upstream.js'

const QUESTION = 'Where does Rumpelstiltskin live?'
const KEYS = ['key-of-the-gateway', 'key-of-the-target', 'key-of-azure', 'key-of-another-gateway']

/** Everything that one request of each kind leaves in the log, at a level. */
async function logOf(t: Parameters<typeof makeApp>[0], level: string): Promise<string> {
  const { baseUrl } = await upstream(t, json(401, { error: { message: `${KEYS[1]} is wrong for ${QUESTION}` } }))
  const env = { API_KEY: KEYS[0] ?? '', TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'm', TARGET_API_KEY: KEYS[1] ?? '' }
  let text = ''
  const log = pino({ level }, { write: (line: string) => (text += line) })
  const throwing: Script = {
    locate() {
      throw new CropVlmError('internal_error', 'It broke.', {
        cause: Object.assign(new Error('cause'), { job: QUESTION }),
      })
    },
  }
  const headers = { authorization: `Bearer ${KEYS[0]}`, 'api-key': KEYS[2] ?? '', 'x-gateway-token': KEYS[3] ?? '' }
  const question = QUESTION
  for (const script of [{}, throwing]) {
    const { app } = await makeApp(t, script, env, { log })
    await post(app, '/answer', { image: IMAGE, question }, headers)
    await post(app, '/answer', { json: { image: IMAGE.toString('base64'), question } }, headers)
    await post(app, '/crop', { json: { image: 'not base64!', question } }, headers)
    await post(app, '/crop', { image: IMAGE, question }, { authorization: 'Bearer key-of-nobody' })
    await app.inject({
      method: 'POST',
      url: `/crop?question=${encodeURIComponent(question)}`,
      payload: `{"question": "${question}", "image": `,
      headers: { ...headers, 'content-type': 'application/json' },
    })
    await app.inject({ url: '/health' })
  }
  return text
}

t.test('no question below trace; no key and no image bytes at any level', async t => {
  for (const level of ['info', 'debug', 'trace']) {
    const text = await logOf(t, level)
    t.match(text, '"path":"/answer"')
    t.match(text, '"status":502')
    t.match(text, 'It broke.')
    for (const key of [...KEYS, 'key-of-nobody']) t.notMatch(text, key, `${key} at ${level}`)
    t.notMatch(text, IMAGE.toString('base64').slice(0, 24))
    t.notMatch(text, '"type":"Buffer"')
    if (level === 'trace') t.match(text, 'Rumpelstiltskin')
    else t.notMatch(text, 'Rumpelstiltskin', level)
  }
})

t.test('one line a request at info, with its id; probes only at debug', async t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const { app } = await makeApp(t, {}, {}, { log })
  await post(app, '/crop', { image: IMAGE, question: 'q' }, { 'x-request-id': 'seven' })
  await app.inject({ url: '/health/ready' })
  await app.inject({ url: '/metrics' })
  t.equal(lines.length, 1)
  t.match(lines, [{ reqId: 'seven', req: { method: 'POST', path: '/crop' }, res: { status: 200 }, msg: 'request' }])
})

/** A log, and its lines so far that are about requests. */
function record() {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines, ofRequests: () => lines.filter(({ reqId, msg }) => reqId !== undefined && msg !== 'request') }
}

t.test('what is no fault of the service is told without a stack, at a level that fits', async t => {
  const rows = [
    ['draining', 30],
    ['not_ready', 30],
    ['engine_unavailable', 40],
    ['deadline_exceeded', 40],
    ['queue_full', 20],
    ['internal_error', 50],
  ] as const
  for (const [code, level] of rows) {
    const { log, lines } = record()
    const locate = () => {
      throw new CropVlmError(code, 'So it is.')
    }
    const { app } = await makeApp(t, { locate }, {}, { log })
    await post(app, '/crop', { image: IMAGE, question: 'q' })
    const line = lines.find(line => line.code === code)
    t.equal(line?.level, level, code)
    t.equal(JSON.stringify(line).includes('stack'), code === 'internal_error', code)
  }
})

t.test('why a target failed', async t => {
  const { log, lines } = record()
  const { app } = await makeApp(t, {}, { TARGET_BASE_URL: 'http://127.0.0.1:9/v1', TARGET_MODEL: 'm' }, { log })
  await post(app, '/answer', { image: IMAGE, question: 'q' })
  const line = lines.find(({ code }) => code === 'target_failed')
  t.match(line, { level: 40, reason: /down/, cause: /bad port|ECONNREFUSED/ })
  t.notMatch(JSON.stringify(line), 'stack')
})

t.test('a probe that fails while the models load is told at debug only', async t => {
  const { log, ofRequests } = record()
  const { app } = await makeApp(t, { state: 'loading' }, {}, { log })
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 503)
  t.match(ofRequests(), [{ level: 20, code: 'not_ready' }])
})

t.test('what a handler comes to after the deadline has been told is not logged as a fault', async t => {
  let settle: (() => void)[] = []
  const { log, lines, ofRequests } = record()
  const locate: Script['locate'] = job =>
    new Promise((resolve, reject) => {
      settle = [() => resolve(located(job)), () => reject(new CropVlmError('engine_unavailable', 'It died.'))]
    })
  const { url } = await listen(t, { locate }, { REQUEST_TIMEOUT_MS: '100' }, { log })
  const { payload, headers } = await form({ image: IMAGE, question: 'q' })
  for (const way of [0, 1]) {
    const reply = await fetch(`${url}/crop`, { method: 'POST', body: new Uint8Array(payload), headers })
    t.equal(reply.status, 504)
    settle[way]?.()
    await new Promise(setImmediate)
    t.match(
      ofRequests().filter(({ level }) => Number(level) > 20),
      [{ level: 40, code: 'deadline_exceeded' }],
    )
    lines.length = 0
  }
})

t.test('secrets in whatever is logged', async t => {
  let text = ''
  const log = guardLog(pino({ level: 'trace' }, { write: (line: string) => (text += line) }))
  const headers = { authorization: 'Bearer hush', cookie: 'hush' }
  log.info({ headers, busboyOptions: { headers }, target: { apiKey: 'hush' }, apiKey: 'hush' })
  log.error({
    err: Object.assign(new Error('so', { cause: Object.assign(new Error('why'), { headers }) }), { headers }),
  })
  t.notMatch(text, 'hush')
  t.match(text, 'why')
})
