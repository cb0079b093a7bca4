import { pino } from 'pino'
import t from 'tap'
import { CropVlmError } from '../../src/errors.js'
import { guardLog } from '../../src/http/log.js'
import { json, upstream } from '../target/upstream.js'
import { IMAGE, makeApp, post, type Script } from './scripted.js'

const QUESTION = 'Where does Rumpelstiltskin live?'
const KEYS = ['key-of-the-gateway', 'key-of-the-target']

/** Everything that one request of each kind leaves in the log, at a level. */
async function logOf(t: Parameters<typeof makeApp>[0], level: string): Promise<string> {
  const { baseUrl } = await upstream(t, json(401, { error: { message: `${KEYS[1]} is wrong for ${QUESTION}` } }))
  const env = { API_KEY: KEYS[0] ?? '', TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'm', TARGET_API_KEY: KEYS[1] ?? '' }
  let text = ''
  const log = pino({ level }, { write: (line: string) => (text += line) })
  const throwing: Script = {
    crop() {
      throw new CropVlmError('internal_error', 'It broke.', {
        cause: Object.assign(new Error('cause'), { job: QUESTION }),
      })
    },
  }
  const headers = { authorization: `Bearer ${KEYS[0]}` }
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
