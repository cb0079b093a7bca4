import { createServer } from 'node:net'
import t from 'tap'
import type { CropVlmError } from '../../src/errors.js'
import { chatClient, type Guard, UNGUARDED } from '../../src/openai/chat-client.js'
import { TARGET } from '../../src/openai/party.js'
import { completion, json, type Reply, upstream } from '../support/fakes/upstream.js'

const ENDPOINT = { apiKey: null, timeoutMs: 30_000, concurrency: 4 }
const GUARD: Guard = { firstTimeoutMs: 60_000, breakerFailures: 2, breakerMs: 3_600_000 }
const caller = (more = {}) => ({
  question: 'q',
  signal: new AbortController().signal,
  deadline: Date.now() + 60_000,
  ...more,
})

/** A client of a URL, and a call of it that tells how it ended. */
function client(baseUrl: string, guard: Guard = GUARD, endpoint = {}) {
  const made = chatClient({ ...ENDPOINT, baseUrl, ...endpoint }, TARGET, guard)
  const call = (more = {}): Promise<CropVlmError | 'answered'> =>
    made.complete({ model: 'm', messages: [] }, caller(more)).then(
      () => 'answered' as const,
      error => error,
    )
  return { made, call }
}

/** A port of this machine where nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return `http://127.0.0.1:${port}/v1`
}

t.test('what says that an endpoint is down opens the breaker, and it is asked no more', async t => {
  const rows: [name: string, reply: Reply, endpoint?: object][] = [
    ['500', json(500, {})],
    ['503', json(503, { error: 'loading' })],
    ['502 in HTML', response => response.writeHead(502).end('<html>')],
    ['a 502 within a 200', json(200, { error: { message: 'provider is down', code: 502 } })],
    ['a reset', (_response, _received, socket) => socket.resetAndDestroy()],
    ['a timeout', () => {}, { timeoutMs: 100 }],
  ]
  for (const [name, reply, endpoint] of rows) {
    const { baseUrl, received, close } = await upstream(t, reply)
    const { made, call } = client(baseUrl, { ...GUARD, firstTimeoutMs: 0 }, endpoint)
    for (let i = 0; i < 2; i++) t.match(await call(), { code: /target_(failed|timeout)/, retryAfter: undefined }, name)
    const asked = received.length
    t.match(made.breaker, { open: true, failures: 2 }, name)
    t.match(
      await call(),
      {
        code: 'target_failed',
        message: /not asked now: it failed 2 times in a row \(TARGET_BREAKER_FAILURES\)\. The next try is in 3600 s\./,
        details: { status: null, breaker: 'open' },
        retryAfter: 3600,
      },
      name,
    )
    t.equal(received.length, asked, name)
    await close()
  }
  const { made, call } = client(await closedPort())
  await call()
  t.match(await call(), { message: /connection/ })
  t.match(made.breaker, { open: true })
})

t.test('what an endpoint answers, though it is no answer, opens nothing', async t => {
  const rows: [name: string, reply: Reply][] = [
    ['400', json(400, {})],
    ['401', json(401, {})],
    ['404', json(404, {})],
    ['429', json(429, {}, { 'retry-after': '9' })],
    ['a 500 for what it was sent', json(500, { error: 'image input is not supported' })],
    ['an error within a 200', json(200, { error: { message: 'no', code: 404 } })],
    ['no JSON', response => response.writeHead(200, { 'content-type': 'application/json' }).end('{')],
    ['an event stream that breaks off', response => response.end('data: {"choices": []}\n\n')],
    ['HTML', response => response.end('<html>')],
  ]
  for (const [name, reply] of rows) {
    const { baseUrl, received, close } = await upstream(t, reply)
    const { made, call } = client(baseUrl)
    for (let i = 0; i < 4; i++) await call()
    t.same(made.breaker, { open: false, failures: 0, retryInMs: null }, name)
    t.equal(received.length, 4, name)
    await close()
  }
})

t.test('calls that are aborted count for nothing', async t => {
  const clients: AbortController[] = []
  const { baseUrl } = await upstream(t, () => clients.at(-1)?.abort())
  const { made, call } = client(baseUrl)
  for (let i = 0; i < 4; i++) {
    clients.push(new AbortController())
    t.match(await call({ signal: clients.at(-1)?.signal }), { code: 'request_aborted' })
  }
  t.match(made.breaker, { open: false, failures: 0 })
})

t.test('after its time one call is let through, and an answer closes it', async t => {
  let isDown = true
  const { baseUrl, received } = await upstream(t, (...call) => (isDown ? json(500, {}) : completion('x'))(...call))
  const { made, call } = client(baseUrl, { ...GUARD, breakerMs: 100 })
  await call()
  await call()
  const untilTry = async () => {
    while (made.breaker?.retryInMs !== 0) await new Promise(resolve => setTimeout(resolve, 5))
  }
  await untilTry()
  t.match(await call(), { message: /replied 500/ })
  t.match(await call(), { message: /not asked now: it failed 3 times/ })
  t.equal(received.length, 3)
  isDown = false
  await untilTry()
  t.equal(await call(), 'answered')
  t.match(made.breaker, { open: false, failures: 0 })
  t.equal(await call(), 'answered')
})

t.test('calls that waited for their turn are refused as well', async t => {
  const { baseUrl, received } = await upstream(t, json(500, {}))
  const { call } = client(baseUrl, GUARD, { concurrency: 1 })
  const calls = Array.from({ length: 6 }, () => call())
  const messages = (await Promise.all(calls)).map(error => (error as CropVlmError).message)
  t.equal(messages.filter(message => /replied 500/.test(message)).length, 2)
  t.equal(messages.filter(message => /not asked now/.test(message)).length, 4)
  t.equal(received.length, 2)
})

t.test('0 failures: no breaker', async t => {
  const { baseUrl, received } = await upstream(t, json(500, {}))
  const { made, call } = client(baseUrl, UNGUARDED)
  for (let i = 0; i < 5; i++) await call()
  t.equal(received.length, 5)
  t.equal(made.breaker, null)
})

t.test('until an endpoint has answered a call has more time', async t => {
  let slow: (() => void) | null = null
  let isStalled = true
  const { baseUrl } = await upstream(t, (...call) => {
    if (isStalled) slow = () => completion('x')(...call)
    else completion('x')(...call)
  })
  const guard = { ...GUARD, breakerFailures: 0 }
  const { call } = client(baseUrl, guard, { timeoutMs: 100 })
  // an endpoint that loads its model, for longer than its timeout
  const first = call()
  await new Promise(resolve => setTimeout(resolve, 300))
  ;(slow as (() => void) | null)?.()
  t.equal(await first, 'answered')
  t.match(await call(), { code: 'target_timeout', message: /within its timeout \(TARGET_TIMEOUT_MS\)\.$/ })
  isStalled = false
  t.equal(await call(), 'answered')

  isStalled = true
  const other = client(baseUrl, { ...guard, firstTimeoutMs: 200 }, { timeoutMs: 100 })
  t.match(await other.call(), {
    code: 'target_timeout',
    message: /within its timeout \(TARGET_FIRST_TIMEOUT_MS\)\. It has not answered yet: it may still be loading/,
  })
  t.match(await other.call({ deadline: Date.now() + 50 }), {
    code: 'target_timeout',
    message: /deadline passed before the target answered \(REQUEST_TIMEOUT_MS\)\. It has not answered yet/,
  })
  // a refusal is no answer: the model may not be loaded yet
  const refusing = await upstream(t, json(401, {}))
  const cold = client(refusing.baseUrl, guard)
  await cold.call()
  const never = client(baseUrl, { ...guard, firstTimeoutMs: 50 }, { timeoutMs: 100 })
  t.match(await never.call(), { message: /\(TARGET_TIMEOUT_MS\)\.$/ }, 'never less than its own timeout')
})
