/** Bodies that come compressed: zoomed where they can be read, else sent on as they came. */
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { listen } from '../../../support/fakes/app.js'
import { ask, CROP_URL, proxied } from '../../../support/fakes/proxy.js'
import { jobsOf } from '../../../support/fakes/scripted-engine.js'

const PATH = '/v1/chat/completions'
const BODY = `{"model":"vlm", "messages":[${JSON.stringify(ask('What is the total?'))}] }`
const PLAIN = '{ "messages":[{"role":"user","content":"hi"}]}'
const gzip = { 'content-encoding': 'gzip' }

t.test('a crop is put in, and the changed body goes on without a coding', async t => {
  const { post, upstream } = await proxied(t)
  await post(PATH, BODY)
  const expected = upstream.last().body
  t.match(expected.toString(), CROP_URL)
  for (const [encoding, packed] of [
    ['gzip', gzipSync(BODY)],
    ['deflate', deflateSync(BODY)],
    ['br', brotliCompressSync(BODY)],
  ] as const) {
    const reply = await post(PATH, packed, { 'content-encoding': encoding, 'x-kept': '1' })
    t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed', encoding)
    const { headers, body } = upstream.last()
    t.ok(body.equals(expected), encoding)
    t.match(headers, { 'content-length': String(expected.length), 'content-type': 'application/json', 'x-kept': '1' })
    t.notOk('content-encoding' in headers)
  }
})

t.test('where nothing changes the received bytes go on, still compressed', async t => {
  const { post, upstream } = await proxied(t)
  for (const [body, headers, decision, reason] of [
    [PLAIN, {}, 'skipped', 'no_image'],
    [BODY, { 'x-cropvlm-zoom': 'off' }, 'off', null],
    ['no json', {}, 'skipped', 'not_json'],
  ] as const) {
    const packed = gzipSync(body)
    const reply = await post(PATH, packed, { ...gzip, ...headers })
    t.equal(reply.headers.get('x-cropvlm-decision'), decision)
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
    t.ok(upstream.last().body.equals(packed))
    t.match(upstream.last().headers, { 'content-encoding': 'gzip', 'content-length': String(packed.length) })
  }
})

t.test('our options in it are read and taken out, also where nothing is zoomed; `model` picks the target', async t => {
  const { post, upstream } = await proxied(t)
  for (const headers of [{}, { 'x-cropvlm-zoom': 'off' }]) {
    const body = `{"cropvlm":{"zoom":"off"}, ${BODY.slice(1)}`
    const reply = await post(PATH, gzipSync(body), { ...gzip, ...headers })
    t.equal(reply.headers.get('x-cropvlm-decision'), 'off')
    t.equal(upstream.last().body.toString(), BODY)
    t.notOk('content-encoding' in upstream.last().headers)
  }
  await post(PATH, gzipSync('{"model":"default", "messages":[]}'), gzip)
  t.equal(upstream.last().body.toString(), '{"model":"vlm", "messages":[]}')
})

t.test('an unknown coding, and bytes that are not of their coding, go on as they are', async t => {
  const { post, upstream } = await proxied(t)
  for (const [encoding, body] of [
    ['compress', Buffer.from(BODY)],
    ['gzip, br', gzipSync(BODY)],
    ['gzip', Buffer.from(BODY)],
  ] as const) {
    const reply = await post(PATH, body, { 'content-encoding': encoding })
    t.equal(reply.headers.get('x-cropvlm-decision'), 'skipped')
    t.equal(reply.headers.get('x-cropvlm-reason'), 'compressed')
    t.ok(upstream.last().body.equals(body))
    t.equal(upstream.last().headers['content-encoding'], encoding)
  }
})

t.test('a body that is too large when unpacked is not held: it goes on as it came, or is refused', async t => {
  const limit = { PROXY_MAX_BODY_BYTES: '10000' }
  const bomb = gzipSync(`{"a":"${'x'.repeat(1_000_000)}"}`)
  const { post, upstream, url } = await proxied(t, limit)
  const reply = await post(PATH, bomb, gzip)
  t.equal(reply.status, 200)
  t.equal(reply.headers.get('x-cropvlm-decision'), 'failed')
  t.equal(reply.headers.get('x-cropvlm-reason'), 'body_too_large')
  t.ok(upstream.last().body.equals(bomb))
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, 'cropvlm_proxy_open_failures_total{reason="body_too_large"} 1')
  t.equal((await post(PATH, bomb, { ...gzip, 'x-cropvlm-zoom': 'off' })).headers.get('x-cropvlm-decision'), 'off')
  t.ok(upstream.last().body.equals(bomb))
  t.equal((await post('/zoom', bomb, gzip)).status, 413)
  const closed = await proxied(t, { ...limit, ZOOM_FAIL: 'closed' })
  const refused = await closed.post(PATH, bomb, gzip)
  t.equal(refused.status, 413)
  t.match(await refused.json(), { error: { code: 'body_too_large' } })
  t.equal(closed.upstream.requests.length, 0)
})

t.test('unpacked bodies count as memory: where there is no more, a request goes on as it came', async t => {
  // 65 times that
  const { post, upstream } = await proxied(t, { QUEUE_SIZE: '1', MAX_BODY_BYTES: '1024' })
  const packed = gzipSync(`${BODY}${' '.repeat(80_000)}`)
  const reply = await post(PATH, packed, gzip)
  t.equal(reply.headers.get('x-cropvlm-reason'), 'queue_full')
  t.ok(upstream.last().body.equals(packed))
  const again = await post(PATH, gzipSync(`${BODY}${' '.repeat(40_000)}`), gzip)
  t.equal(again.headers.get('x-cropvlm-decision'), 'zoomed', 'what was answered counts no more')
})

t.test('a target in this process and /zoom read it too, and say what they do not read', async t => {
  const { url, engine } = await listen(t)
  const post = (path: string, body: Buffer, encoding: string) =>
    fetch(url + path, { method: 'POST', body: new Uint8Array(body), headers: { 'content-encoding': encoding } })
  t.match(await (await post(PATH, gzipSync(BODY), 'gzip')).json(), {
    choices: [{ message: { content: 'Dakota Digital.' } }],
  })
  t.equal(jobsOf(engine, 'generate').length, 1)
  const zoomed = await post('/zoom', gzipSync(BODY), 'gzip')
  t.notOk(zoomed.headers.get('content-encoding'))
  t.match(await zoomed.json(), { messages: [{ content: { length: 4 } }] })
  for (const path of [PATH, '/zoom']) {
    const refused = await post(path, Buffer.from(BODY), 'compress')
    t.equal(refused.status, 415)
    t.match(await refused.json(), { error: { code: 'unsupported_content_type', message: /gzip, deflate or br/ } })
  }
})
