import { once } from 'node:events'
import t from 'tap'
import type { CropVlmError } from '../../src/errors.js'
import { openAiTarget } from '../../src/target/openai.js'
import { PROFILES } from '../../src/target/profiles.js'
import type { TargetRequest } from '../../src/target/target.js'
import { thinksLikeGpt5, unsupported } from '../support/fakes/odd-target-requests.js'
import {
  completion,
  countingUpstream,
  json,
  type Received,
  type Reply,
  targetConfig,
  upstream,
} from '../support/fakes/upstream.js'

const picture = (text: string) => ({
  mediaType: 'image/jpeg',
  width: 2,
  height: 2,
  bytes: new TextEncoder().encode(text),
})

function request(more: Partial<TargetRequest> = {}): TargetRequest {
  const pictures = { full: picture('full'), crop: picture('crop') }
  const limits = { signal: new AbortController().signal, deadline: Date.now() + 60_000 }
  return { ...pictures, question: 'WHO made it?', maxTokens: 64, temperature: 0, ...limits, ...more }
}

/** What an endpoint says beside an answer that says nothing else. */
const PLAIN = { reasoning: null, refusal: null, finishReason: null }

const failure = (answer: Promise<unknown>): Promise<CropVlmError> =>
  answer.then(
    () => Promise.reject(),
    error => error,
  )

t.test('what is sent, and what comes back', async t => {
  const { baseUrl, received } = await upstream(t, completion(' Dakota Digital.\n'))
  const target = openAiTarget(targetConfig(baseUrl))
  t.match(target, { name: 'qwen', fullLongestEdge: 448, cropLongestEdge: 448, local: false })
  t.strictSame(await target.answer(request()), {
    ...PLAIN,
    text: 'Dakota Digital.',
    usage: { promptTokens: 512, completionTokens: 3 },
  })
  t.equal(received[0]?.url, '/v1/chat/completions')
  t.equal(received[0]?.headers.authorization, 'Bearer sk-secret-key')
  const url = (text: string) => `data:image/jpeg;base64,${Buffer.from(text).toString('base64')}`
  t.strictSame(received[0]?.body, {
    model: 'Qwen/Qwen2.5-VL-3B-Instruct',
    max_tokens: 64,
    temperature: 0,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: url('full') } },
          { type: 'image_url', image_url: { url: url('crop') } },
          { type: 'text', text: 'WHO made it?\nGive a very brief answer.' },
        ],
      },
    ],
  })
})

const textOf = ({ body }: Received) => body.messages?.at(-1)?.content.at(-1)?.text

t.test("the question as it was sent, in the target's own template, after its system message", async t => {
  const { baseUrl, received } = await upstream(t, completion('x'))
  const question = '  NASA badge AB-12c, $& {question}?'
  const asked = { prompt: 'Look.\n{question}\nBriefly: {question}', system: 'You read badges.' }
  await openAiTarget(targetConfig(baseUrl, asked)).answer(request({ question }))
  t.equal(textOf(received[0] as Received), `Look.\n${question}\nBriefly: ${question}`)
  t.match(received[0]?.body.messages, [{ role: 'system', content: 'You read badges.' }, { role: 'user' }])
  await openAiTarget(targetConfig(baseUrl, { prompt: null })).answer(request({ question: 'NASA badge AB-12c' }))
  t.equal(textOf(received[1] as Received), 'Nasa badge ab-12c\nGive a very brief answer.', "the paper's")
})

t.test('headers, a query and further fields go along', async t => {
  const { baseUrl, received } = await upstream(t, completion('x'))
  const more = {
    query: 'api-version=2024-06-01&tag=a&tag=b',
    headers: { 'api-key': 'k', Authorization: 'Basic abc' },
    extraBody: { reasoning_effort: 'low', provider: { order: ['a'] } },
    apiKey: null,
  }
  await openAiTarget(targetConfig(baseUrl, more)).answer(request())
  t.equal(received[0]?.url, '/v1/chat/completions?api-version=2024-06-01&tag=a&tag=b')
  t.match(received[0]?.headers, { 'api-key': 'k', authorization: 'Basic abc' })
  t.match(received[0]?.body, { ...more.extraBody, max_tokens: 64, temperature: 0 })
})

t.test('the parameters of a model that thinks, by its profile', async t => {
  const { baseUrl, received } = await upstream(t, completion('x'))
  await openAiTarget(targetConfig(baseUrl, PROFILES['gpt-5'])).answer(request())
  const { messages, ...fields } = received[0]?.body ?? {}
  t.same(fields, { model: 'Qwen/Qwen2.5-VL-3B-Instruct', max_completion_tokens: 64 + 2048 })
})

t.test('what the endpoint says that it does not take is left out from then on', async t => {
  const parameters = ({ body }: Received) => Object.keys(body).filter(name => !/^(model|messages)$/.test(name))
  const { baseUrl, received } = await upstream(t, thinksLikeGpt5)
  const target = openAiTarget(targetConfig(baseUrl))
  t.equal((await target.answer(request())).text, '482')
  t.equal((await target.answer(request({ temperature: 0.7 }))).text, '482')
  t.same(received.map(parameters), [
    ['max_tokens', 'temperature'],
    ['max_completion_tokens', 'temperature'],
    ['max_completion_tokens'],
    ['max_completion_tokens'],
  ])
  t.equal(received[3]?.body.max_completion_tokens, 64 + 2048)
})

t.test('a refusal of both, or of something else, ends there', async t => {
  const { baseUrl, received } = await upstream(t, json(400, unsupported('temperature')))
  const error = await failure(openAiTarget(targetConfig(baseUrl)).answer(request()))
  t.match(error, { code: 'target_failed', details: { status: 400, unsupported: 'temperature' } })
  t.equal(received.length, 2)
  const other = await upstream(t, json(400, unsupported('image_url')))
  t.match(await failure(openAiTarget(targetConfig(other.baseUrl)).answer(request())), { code: 'target_failed' })
  t.equal(other.received.length, 1)
})

t.test('one picture, no key, no usage', async t => {
  const { baseUrl, received } = await upstream(t, completion('yes', null))
  // the library would take this one by itself
  process.env.OPENAI_API_KEY = 'sk-from-the-environment'
  t.teardown(() => delete process.env.OPENAI_API_KEY)
  const target = openAiTarget(targetConfig(baseUrl, { apiKey: null }))
  t.strictSame(await target.answer(request({ crop: null })), { ...PLAIN, text: 'yes', usage: null })
  t.equal(received[0]?.headers.authorization, undefined)
  t.equal(received[0]?.body.messages?.[0]?.content.length, 2)
})

t.test('odd figures do not cost the answer', async t => {
  const counts: [prompt: unknown, completion: unknown][] = [
    [-1, 3],
    [5, 1.5],
    ['5', '3'],
    [null, 3],
  ]
  for (const [prompt_tokens, completion_tokens] of counts) {
    const { baseUrl, close } = await upstream(t, completion('yes', { prompt_tokens, completion_tokens }))
    t.strictSame(await openAiTarget(targetConfig(baseUrl)).answer(request()), { ...PLAIN, text: 'yes', usage: null })
    await close()
  }
  const huge =
    '{"choices": [{"message": {"content": "yes"}}], "usage": {"prompt_tokens": 1e999, "completion_tokens": 1}}'
  const { baseUrl } = await upstream(t, response =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(huge),
  )
  t.strictSame(await openAiTarget(targetConfig(baseUrl)).answer(request()), { ...PLAIN, text: 'yes', usage: null })
})

const upstreamError = { error: { message: 'Incorrect key sk-secret-key for: who made it?', code: 'invalid_api_key' } }

t.test('failures that are told at once, without the key or the question', async t => {
  const html: Reply = response => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>sk-secret-key</h1>')
  const broken: Reply = response => response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [')
  const rows: [name: string, reply: Reply, details: Record<string, unknown>][] = [
    ['400', json(400, upstreamError), { status: 400, code: 'invalid_api_key' }],
    ['401', json(401, upstreamError), { status: 401, code: 'invalid_api_key' }],
    ['403', json(403, upstreamError), { status: 403 }],
    ['404', json(404, { message: 'no such model' }), { status: 404 }],
    [
      '429, a huge Retry-After',
      json(429, upstreamError, { 'retry-after': '86400' }),
      { status: 429, retry_after: 86_400 },
    ],
    ['500', json(500, upstreamError), { status: 500 }],
    ['503 in HTML', response => response.writeHead(503).end('<h1>sk-secret-key</h1>'), { status: 503 }],
    ['a reset', (_response, _received, socket) => socket.resetAndDestroy(), { status: null }],
    [
      'a hang-up within the body',
      response => response.writeHead(200, { 'content-length': '99' }).write('{', () => response.destroy()),
      {},
    ],
    ['HTML', html, { status: 200 }],
    ['half JSON', broken, { status: null }],
    ['no choice', json(200, { choices: [] }), { status: 200 }],
    ['an error with 200', json(200, upstreamError), { status: 200 }],
    ['an array', json(200, [1]), { status: 200 }],
    ['null', json(200, null), { status: 200 }],
    ['an empty text', completion('  '), { status: 200 }],
    ['no text', completion(null), { status: 200 }],
    ['parts without a text', completion([{ type: 'image_url', image_url: { url: 'x' } }]), { status: 200 }],
  ]
  const hangUps = new Set(['a reset', 'a hang-up within the body'])
  for (const [name, reply, details] of rows) {
    const { baseUrl, received, close } = await upstream(t, reply)
    const error = await failure(openAiTarget(targetConfig(baseUrl)).answer(request()))
    t.match(error, { code: 'target_failed', details }, `${name}: ${error.message}`)
    const told = JSON.stringify(error.toWire()) + String(error.cause) + error.stack
    t.notMatch(told, /sk-secret|who made/i, name)
    t.equal(received.length, hangUps.has(name) ? 2 : 1, 'tried again only after a hang-up, once')
    await close()
  }
})

t.test('a connection that is closed as it is used is replaced', async t => {
  let calls = 0
  const { baseUrl } = await upstream(t, (response, received, socket) => {
    if (++calls === 2) socket.resetAndDestroy()
    else completion(`answer ${calls}`)(response, received, socket)
  })
  const target = openAiTarget(targetConfig(baseUrl))
  t.equal((await target.answer(request())).text, 'answer 1')
  t.equal((await target.answer(request())).text, 'answer 3')
})

t.test('nobody listens', async t => {
  const { baseUrl, close } = await upstream(t, completion('x'))
  await close()
  const error = await failure(openAiTarget(targetConfig(baseUrl)).answer(request()))
  t.match(error, { code: 'target_failed', details: { status: null }, message: /down/ })
})

const stall: Reply = () => {}
const stallInBody: Reply = response =>
  void response.writeHead(200, { 'content-type': 'application/json' }).write('{"cho')

t.test('a stall ends with the target timeout or the deadline, and so does the call', async t => {
  for (const reply of [stall, stallInBody]) {
    const ended: Promise<unknown>[] = []
    const { baseUrl, close } = await upstream(t, (response, received, socket) => {
      ended.push(once(response, 'close'))
      reply(response, received, socket)
    })
    const impatient = openAiTarget(targetConfig(baseUrl, { timeoutMs: 100 }))
    t.match(await failure(impatient.answer(request())), { code: 'target_timeout', message: /TARGET_TIMEOUT_MS/ })
    const patient = openAiTarget(targetConfig(baseUrl))
    const late = patient.answer(request({ deadline: Date.now() + 150 }))
    t.match(await failure(late), { code: 'target_timeout', message: /deadline/ })
    await Promise.all(ended)
    await close()
  }
})

t.test('a deadline that has passed is told without a call', async t => {
  const { baseUrl, received } = await upstream(t, completion('x'))
  const error = await failure(openAiTarget(targetConfig(baseUrl)).answer(request({ deadline: Date.now() - 1 })))
  t.match(error, { code: 'target_timeout' })
  t.equal(received.length, 0)
})

t.test('an abort ends the call', async t => {
  const client = new AbortController()
  const { baseUrl } = await upstream(t, () => client.abort())
  const error = await failure(openAiTarget(targetConfig(baseUrl)).answer(request({ signal: client.signal })))
  t.match(error, { code: 'request_aborted' })
})

t.test('no more calls at once than configured; who waits too long gives up', async t => {
  const { baseUrl, most } = await countingUpstream(t)
  const target = openAiTarget(targetConfig(baseUrl, { concurrency: 2 }))
  const answers = await Promise.all(Array.from({ length: 7 }, () => target.answer(request())))
  t.equal(answers.length, 7)
  t.equal(most(), 2)

  const stalled = await upstream(t, stall)
  const single = openAiTarget(targetConfig(stalled.baseUrl, { concurrency: 1 }))
  const client = new AbortController()
  const first = failure(single.answer(request({ signal: client.signal })))
  const waiting = single.answer(request({ deadline: Date.now() + 50 }))
  t.match(await failure(waiting), { code: 'target_timeout' })
  t.ok(stalled.received.length <= 1)
  client.abort()
  t.match(await first, { code: 'request_aborted' })
})
