import t from 'tap'
import { tolerantFetch } from '../../../src/openai/reply/tolerant-fetch.js'

const asked = (reply: Response) => tolerantFetch(async () => reply)('http://127.0.0.1/')
const type = (response: Response) => response.headers.get('content-type')

t.test('JSON of any content type, and an event stream, come as JSON', async t => {
  for (const [body, contentType] of [
    ['{"choices": []}', 'text/plain'],
    ['\n {"choices": []}', 'application/octet-stream'],
    ['{"choices": []}', 'application/json; charset=utf-8'],
  ] as const) {
    const response = await asked(new Response(body, { headers: { 'content-type': contentType } }))
    t.equal(type(response), 'application/json')
    t.same(await response.json(), { choices: [] })
  }
  const events = await asked(new Response('data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]'))
  t.match(await events.json(), { choices: [{ message: { content: 'a' } }] })
})

t.test('what is no JSON stays as it is', async t => {
  for (const [body, contentType] of [
    ['<html>', 'text/html'],
    ['{"choices": [', 'application/json'],
  ] as const) {
    const response = await asked(new Response(body, { headers: { 'content-type': contentType } }))
    t.equal(type(response), contentType)
    t.equal(await response.text(), body)
  }
  t.equal((await asked(new Response(null, { status: 204 }))).status, 204)
})

t.test(
  'errors have the one shape, whatever their status; Retry-After is kept, and no length of another body',
  async t => {
    const refusal = new Response('{"detail": "no"}', {
      status: 429,
      headers: { 'retry-after': '3', 'content-length': '16', 'x-secret': 'x' },
    })
    const response = await asked(refusal)
    t.equal(response.status, 429)
    t.same(
      [...response.headers],
      [
        ['content-type', 'application/json'],
        ['retry-after', '3'],
      ],
    )
    t.same(await response.json(), { error: { message: 'no', code: null, type: null, param: null } })
    t.same(await (await asked(new Response('{"object": "error", "message": "no"}'))).json(), {
      error: { message: 'no', code: null, type: null, param: null },
    })
    // an error whose text only looks like an event stream
    t.match(await (await asked(new Response('data: broken', { status: 500 }))).json(), {
      error: { message: 'data: broken' },
    })
  },
)

t.test('what fetch throws, and what it is given, goes through', async t => {
  const given: unknown[] = []
  const failing = tolerantFetch(async (...call) => {
    given.push(...call)
    throw new TypeError('fetch failed')
  })
  await t.rejects(failing('http://127.0.0.1/', { method: 'POST' }), { message: 'fetch failed' })
  t.same(given, ['http://127.0.0.1/', { method: 'POST' }])
})

// found by `npm run fuzz`: the stack ran out
t.test('JSON that nests too deep is odd in a reply, and a text in a refusal', async t => {
  const deep = `${'['.repeat(9000)}${']'.repeat(9000)}`
  const odd = { name: 'OddReply', message: 'its JSON nests over 100 levels deep' }
  for (const body of [
    `{"error":${deep}}`,
    `{"choices":[{"message":{"content":${deep}}}]}`,
    `data: {"choices":${deep}}\n\n`,
  ])
    await t.rejects(asked(new Response(body)), odd)
  const refusal = await asked(new Response(`{"error":${deep}}`, { status: 400 }))
  t.match(await refusal.json(), { error: { message: /^\{"error":\[\[/ } })
})
