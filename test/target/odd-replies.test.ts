/** What a target makes of the replies of servers as they really are, over a real socket. */
import { once } from 'node:events'
import { createGzip } from 'node:zlib'
import t from 'tap'
import type { CropVlmError } from '../../src/errors.js'
import { MAX_REPLY_BYTES } from '../../src/openai/reply/bounded-text.js'
import { openAiTarget } from '../../src/target/openai.js'
import type { TargetRequest } from '../../src/target/target.js'
import { ANSWERED, FAILING } from '../support/fakes/odd-target-replies.js'
import { json, type Reply, targetConfig, upstream } from '../support/fakes/upstream.js'

const KEY = 'sk-proj-4f8a91ccd2e3'
const QUESTION = 'Welches "Mittel" nimmt Herr Schäfer?'
// bytes whose base64 looks as that of a JPEG does
const bytes = new Uint8Array(3000).map((_, i) => (i * 7919) % 251)
const full = { mediaType: 'image/jpeg', width: 60, height: 60, bytes }

function request(more: Partial<TargetRequest> = {}): TargetRequest {
  const limits = { signal: new AbortController().signal, deadline: Date.now() + 60_000 }
  return { full, crop: null, question: QUESTION, maxTokens: 64, temperature: 0, ...limits, ...more }
}

const failure = (answer: Promise<unknown>): Promise<CropVlmError> =>
  answer.then(
    () => Promise.reject(new Error('no failure')),
    error => error,
  )

const target = (baseUrl: string) => openAiTarget(targetConfig(baseUrl, { apiKey: KEY }))

for (const [name, { reply, answer }] of Object.entries(ANSWERED))
  t.test(`answered: ${name}`, async t => {
    const { baseUrl } = await upstream(t, reply)
    const found = await target(baseUrl).answer(request())
    t.match(found, { ...answer, usage: { promptTokens: 900, completionTokens: 4 } })
  })

for (const [name, { reply, message, details = {} }] of Object.entries(FAILING))
  t.test(`failing: ${name}`, async t => {
    const { baseUrl, received } = await upstream(t, reply)
    const error = await failure(target(baseUrl).answer(request()))
    t.match(error, { code: 'target_failed', message, details })
    t.equal(received.length, 1)
  })

t.test('every failure has a message of its own', async t => {
  const kinds = ['a tool call', 'a filtered answer', 'no token left', 'nothing but thinking', 'no choice']
  t.equal(new Set(kinds.map(kind => FAILING[kind]?.message.source)).size, kinds.length)
})

/** An endpoint that repeats all that it was sent, in every place where something is passed on. */
const hostile =
  (status: number, wrap: (echo: string) => unknown): Reply =>
  (response, received, socket) => {
    const [, key = ''] = String(received.headers.authorization).split(' ')
    const url = received.body.messages?.[0]?.content[0]?.image_url?.url ?? ''
    const text = received.body.messages?.[0]?.content[1]?.text ?? ''
    const echo = `Not good: key ${key} (${received.headers.authorization}), asked ${JSON.stringify(text)}, picture ${url}.`
    json(status, wrap(echo))(response, received, socket)
  }

t.test('a hostile endpoint that repeats key, question and picture', async t => {
  const wraps: ((echo: string) => unknown)[] = [
    message => ({ error: { message, code: message, type: message } }),
    message => ({ error: { message: 'x', code: KEY.replaceAll('-', '_') }, [message]: message }),
    error => ({ error }),
    detail => ({ detail }),
    msg => ({ detail: [{ msg }] }),
    message => ({ object: 'error', message, code: 400 }),
    raw => ({ error: { message: 'x', metadata: { raw } } }),
    message => [{ error: { message } }],
    // in other writings
    echo => ({ error: echo.replace(KEY, KEY.split('').join('\u200b')) }),
    echo => ({ error: echo.toUpperCase() }),
    echo => ({ error: echo.replaceAll(' ', '\n') }),
    echo => ({ error: `${KEY.slice(0, 12)}******${echo.slice(9)}` }),
    echo => ({ error: echo.replaceAll('"', '&quot;') }),
    echo => ({ error: encodeURIComponent(echo) }),
    // as Python writes JSON
    echo => ({ error: JSON.stringify(echo).replaceAll('ä', '\\u00e4') }),
  ]
  const picture = Buffer.from(bytes).toString('base64')
  for (const status of [400, 401, 429, 500, 200])
    for (const [i, wrap] of wraps.entries()) {
      const { baseUrl, close } = await upstream(t, hostile(status, wrap))
      const error = await failure(target(baseUrl).answer(request()))
      const told = JSON.stringify(error.toWire()) + String(error.cause) + error.stack
      const name = `${status}, ${i}: ${error.message}`
      t.notMatch(told, /4f8a|91cc|d2e3|4F8A/, name)
      t.notMatch(told, /sch[^ ]{1,8}fer|mittel/i, name)
      t.notMatch(told.replaceAll(/\s/g, ''), picture.slice(0, 24), name)
      t.notMatch(told, /data:|base64,/i, name)
      t.notMatch(error.message, /[\p{Cc}\p{Cf}]/u, name)
      const { reason = '' } = (error.details ?? {}) as { reason?: string }
      t.ok([...reason].length <= 200, name)
      await close()
    }
})

t.test('a reason of an honest endpoint beside a secret is still read', async t => {
  const message = `Incorrect API key provided: ${KEY.slice(0, 7)}*****${KEY.slice(-4)}. You can find it at https://keys.example/me.`
  const { baseUrl } = await upstream(t, json(401, { error: { message, code: 'invalid_api_key' } }))
  t.match(await failure(target(baseUrl).answer(request())), {
    message: /replied 401: .*set TARGET_API_KEY\. It said: Incorrect \[\.\.\.\] You can find it at \[\.\.\.\]$/,
  })
})

/** Writes for as long as somebody reads, and tells how many bytes were taken. */
function endless(type: string, piece: Buffer, gzip = false) {
  let [taken, end] = [0, (_: number) => {}]
  const closed = new Promise<number>(resolve => {
    end = resolve
  })
  const reply: Reply = response => {
    response.writeHead(200, { 'content-type': type, ...(gzip ? { 'content-encoding': 'gzip' } : {}) })
    response.once('close', () => end(taken))
    const to = gzip ? createGzip() : response
    if (to !== response) to.pipe(response)
    const write = () => {
      while (!response.destroyed && to.write(piece)) taken += piece.length
      taken += piece.length
      if (!response.destroyed) to.once('drain', write)
    }
    write()
  }
  return { reply, closed }
}

t.test('a reply without end is left after 4 MiB, whatever it is', async t => {
  const delta = Buffer.from(`data: ${JSON.stringify({ choices: [{ delta: { content: 'x'.repeat(60_000) } }] })}\n\n`)
  const rows: [name: string, ReturnType<typeof endless>][] = [
    ['JSON', endless('application/json', Buffer.alloc(65_536, '{"choices": [{"a": 1}, '))],
    ['an event stream', endless('text/event-stream', delta)],
    ['a text', endless('text/plain', Buffer.alloc(65_536, 'x'))],
    ['zeros in gzip', endless('application/json', Buffer.alloc(65_536), true)],
  ]
  for (const [name, { reply, closed }] of rows) {
    const { baseUrl, received, close } = await upstream(t, reply)
    const error = await failure(target(baseUrl).answer(request()))
    t.match(error, { code: 'target_failed', message: /it is longer than 4 MiB/, details: { status: null } }, name)
    t.equal(received.length, 1, 'it is not asked again')
    const taken = await closed
    // what waits in buffers of the system and of this process is taken too
    t.ok(taken < 10 * MAX_REPLY_BYTES, `${name}: ${taken} bytes`)
    await close()
  }
})

t.test('a content-length of 400 MB, in a refusal too', async t => {
  for (const status of [200, 500]) {
    const closed: Promise<unknown>[] = []
    const { baseUrl, close } = await upstream(t, response => {
      closed.push(once(response, 'close'))
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': 400_000_000 })
      response.write(Buffer.alloc(MAX_REPLY_BYTES + 1, ' '))
    })
    t.match(await failure(target(baseUrl).answer(request())), { message: /longer than 4 MiB/ })
    await Promise.all(closed)
    await close()
  }
})

t.test('a reply of just under 4 MiB is read', async t => {
  const text = 'x'.repeat(MAX_REPLY_BYTES - 100)
  const { baseUrl } = await upstream(t, json(200, { choices: [{ message: { content: text } }] }))
  t.equal((await target(baseUrl).answer(request())).text.length, text.length)
})
