/** Several keys, and who asks through proxies, through the whole app. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { makeApp } from '../../../support/fakes/app.js'
import { ask, proxied } from '../../../support/fakes/proxy.js'

const KEYS = ['key-of-one', 'key-of-two', 'key-of-three']
const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 8)

t.test('any of the keys opens; the log tells which, and none is shown anywhere', async t => {
  const file = join(t.testdir({}), 'keys')
  writeFileSync(file, `${KEYS[1]}\n${KEYS[2]}\n`, { mode: 0o644 })
  let text = ''
  const log = pino({ level: 'trace' }, { write: (line: string) => (text += line) })
  const { app } = await makeApp(t, {}, { API_KEY: KEYS[0] ?? '', API_KEY_FILE: file }, { log })
  const asked = async (key: string) =>
    await app.inject({ url: '/info', headers: { authorization: `Bearer ${key}`, 'x-request-id': key.slice(7) } })
  const replies = await Promise.all([...KEYS, 'key-of-nobody'].map(asked))
  t.strictSame(
    replies.map(({ statusCode }) => statusCode),
    [200, 200, 200, 401],
  )
  t.match(replies[3]?.json(), { error: { message: 'The key is none of those this service was given.' } })
  const lines = text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
  for (const key of KEYS)
    t.match(
      lines.find(({ reqId, msg }) => reqId === key.slice(7) && msg === 'request'),
      { key: idOf(key) },
    )
  t.notOk(lines.some(({ reqId, key }) => reqId === 'nobody' && key !== undefined))
  t.match(lines, [{ level: 40, msg: /every user of this machine may read; chmod o-r/ }])
  const shown = [text, (await app.inject({ url: '/metrics' })).body, ...replies.map(({ body }) => body)]
  for (const key of [...KEYS, 'key-of-nobody'])
    t.notOk(
      shown.some(one => one.includes(key)),
      key,
    )
})

t.test('with each of our keys the upstream gets its own', async t => {
  const { post, upstream } = await proxied(t, { API_KEY: KEYS.join(','), TARGET_API_KEY: 'theirs' })
  for (const key of KEYS) {
    const { status } = await post('/v1/chat/completions', { messages: [ask('q')] }, { authorization: `Bearer ${key}` })
    t.equal(status, 200)
    t.equal(upstream.last().headers.authorization, 'Bearer theirs')
  }
})

t.test('TRUST_PROXY: who asks, by what proxies say, where they are believed', async t => {
  const forwarded = {
    'x-forwarded-for': '203.0.113.9, 10.1.1.1',
    'x-forwarded-host': 'zoom.example',
    'x-forwarded-proto': 'https',
  }
  const told = { host: 'zoom.example', protocol: 'https' }
  const rows: [trusted: string, line: object][] = [
    ['off', { req: { from: '127.0.0.1' }, host: undefined, protocol: undefined }],
    ['true', { req: { from: '203.0.113.9' }, ...told }],
    ['1', { req: { from: '10.1.1.1' }, ...told }],
    ['2', { req: { from: '203.0.113.9' }, ...told }],
    ['127.0.0.1,10.0.0.0/8', { req: { from: '203.0.113.9' }, ...told }],
    ['192.168.0.0/16', { req: { from: '127.0.0.1' }, host: 'localhost:80', protocol: 'http' }],
  ]
  for (const [trusted, line] of rows) {
    const lines: Record<string, unknown>[] = []
    const log = pino({ level: 'info' }, { write: (text: string) => void lines.push(JSON.parse(text)) })
    const { app } = await makeApp(t, {}, { TRUST_PROXY: trusted }, { log })
    await app.inject({ url: '/info', headers: forwarded })
    t.match(
      lines.find(({ msg }) => msg === 'request'),
      line,
      trusted,
    )
  }
})
