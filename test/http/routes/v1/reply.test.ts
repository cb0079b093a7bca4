/** The reply is the upstream's own, as it comes (points 2 and 10). */
import { once } from 'node:events'
import { get, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { until } from '../../../support/fakes/engine.js'
import { ask, proxied } from '../../../support/fakes/proxy.js'

t.setTimeout(60_000)

const PATH = '/v1/chat/completions'
const BODY = JSON.stringify({ stream: true, messages: [ask('What is the total?')] })

/** The raw reply to a POST, whose body has not been read. */
async function raw(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const outgoing = httpRequest(url + PATH, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
  })
  outgoing.end(BODY)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return response
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

t.test('status, reason phrase, headers and bytes; hop-by-hop headers stay behind', async t => {
  const body = gzipSync('{"error": {"message":"no"}}')
  const { url, upstream } = await proxied(t, {}, {}, response => {
    response.writeHead(429, 'Slow Down', [
      ...['Content-Type', 'application/problem+json'],
      ...['Content-Encoding', 'gzip'],
      ...['Content-Length', String(body.length)],
      ...['Retry-After', '7'],
      ...['X-RateLimit-Remaining', '0'],
      ...['Set-Cookie', 'a=1'],
      ...['Set-Cookie', 'b=2'],
      ...['X-Request-Id', 'req_upstream'],
      ...['Connection', 'keep-alive, X-Private'],
      ...['X-Private', 'hop'],
      ...['X-Cropvlm-Decision', 'forged'],
    ])
    response.end(body)
  })
  const response = await raw(url, { 'accept-encoding': 'br, gzip', te: 'trailers', 'X-Custom-One': 'Kept' })
  t.equal(response.statusCode, 429)
  t.equal(response.statusMessage, 'Slow Down')
  t.ok((await bytesOf(response)).equals(body), 'compressed as it was')
  t.match(response.headers, {
    'content-type': 'application/problem+json',
    'content-length': String(body.length),
    'retry-after': '7',
    'x-ratelimit-remaining': '0',
    'set-cookie': ['a=1', 'b=2'],
    'x-request-id': 'req_upstream',
    'x-cropvlm-decision': 'zoomed',
  })
  t.ok(response.rawHeaders.includes('X-RateLimit-Remaining'), 'as they were written')
  t.notOk(response.headers['x-private'])
  const sent = upstream.last()
  t.match(sent.headers, { 'accept-encoding': 'br, gzip', 'x-custom-one': 'Kept', host: new URL(upstream.baseUrl).host })
  t.ok(sent.rawHeaders.includes('X-Custom-One'))
  t.notOk(sent.headers.te)
})

t.test('an event stream comes chunk by chunk: headers at once, then each byte as the upstream sends it', async t => {
  const events = ['data: {"a": 1}\n\n', ': comment\n', 'data: {"b"', ':2}\n\ndata: [DONE]\n\n']
  let next: () => void = () => {}
  const { url } = await proxied(t, {}, {}, async response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    for (const event of events) {
      await new Promise<void>(resolve => {
        next = resolve
      })
      response.write(event)
    }
    response.end()
  })
  const response = await raw(url)
  t.equal(response.headers['content-type'], 'text/event-stream', 'the headers are there before any byte was sent')
  const chunks = response[Symbol.asyncIterator]()
  for (const event of events) {
    next()
    t.equal(String((await chunks.next()).value), event)
  }
  t.ok((await chunks.next()).done)
})

t.test('a client that hangs up aborts the upstream call, before the reply and while nothing of it comes', async t => {
  let [closed, started] = [0, 0]
  // so that it is not the upstream's silence that ends it
  const { url } = await proxied(t, { TARGET_TIMEOUT_MS: '3600000' }, {}, (response, _, request) => {
    request.socket.once('close', () => closed++)
    started++
    if (started === 2) response.writeHead(200).write('x')
  })
  const early = httpRequest(url + PATH, { method: 'POST' }).on('error', () => {})
  early.end(BODY)
  await until(() => started === 1)
  early.destroy()
  await until(() => closed === 1)
  const response = await raw(url)
  await once(response, 'data')
  response.destroy()
  await until(() => closed === 2)
  t.pass('both were closed')
})

t.test('a client that closes its half of the connection with its request still gets the whole stream', async t => {
  const { port } = new URL(
    (
      await proxied(t, {}, {}, async response => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const event of ['one', 'two', 'three']) {
          response.write(`data: ${event}\n\n`)
          await new Promise(resolve => setTimeout(resolve, 300))
        }
        response.end()
      })
    ).url,
  )
  const socket = connect(Number(port), '127.0.0.1')
  const head = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(BODY)}\r\n\r\n`
  socket.end(head + BODY)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  t.match(Buffer.concat(chunks).toString(), /^HTTP\/1.1 200 OK\r\n.*one.*two.*three.*0\r\n\r\n$/s)
})

t.test('an upstream that stalls ends: before its first byte with 504, later by a cut connection', async t => {
  let begins = false
  const { url } = await proxied(t, { TARGET_TIMEOUT_MS: '200', PROXY_FIRST_BYTE_TIMEOUT_MS: '400' }, {}, response => {
    if (begins) response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
  })
  const late = await raw(url)
  t.equal(late.statusCode, 504)
  t.match(JSON.parse(String(await bytesOf(late))), {
    error: { code: 'target_timeout', source: 'target', message: /400 ms.*PROXY_FIRST_BYTE_TIMEOUT_MS/ },
  })
  t.equal(late.headers['x-cropvlm-decision'], 'zoomed')
  begins = true
  const cut = await raw(url)
  t.equal(cut.statusCode, 200)
  await t.rejects(bytesOf(cut), { code: 'ECONNRESET' })
})

t.test(
  'an answer that is not streamed may take longer than TARGET_TIMEOUT_MS, before its head and behind it',
  async t => {
    const silent = () => new Promise(resolve => setTimeout(resolve, 600))
    let isHeadFirst = false
    const { url } = await proxied(t, { TARGET_TIMEOUT_MS: '200', REQUEST_TIMEOUT_MS: '300' }, {}, async response => {
      if (isHeadFirst) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
      await silent()
      response.end('{"late": 1}')
    })
    t.equal(String(await bytesOf(await raw(url))), '{"late": 1}')
    isHeadFirst = true
    t.equal(String(await bytesOf(await raw(url))), '{"late": 1}')
  },
)

t.test('an upstream that stalls after a slow client has read all is cut too', async t => {
  const file = Buffer.alloc(8 * 1024 * 1024, 'x')
  const { url } = await proxied(t, { TARGET_TIMEOUT_MS: '300' }, {}, response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).write(file)
  })
  const response = await raw(url)
  await new Promise(resolve => setTimeout(resolve, 1000))
  await t.rejects(bytesOf(response), { code: 'ECONNRESET' })
})

t.test('a stream that lasts longer in all than every timeout goes on', async t => {
  const { url } = await proxied(
    t,
    { TARGET_TIMEOUT_MS: '300', PROXY_FIRST_BYTE_TIMEOUT_MS: '300', REQUEST_TIMEOUT_MS: '300' },
    {},
    async response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let i = 0; i < 15; i++) {
        response.write(`data: ${i}\n\n`)
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      response.end('data: [DONE]\n\n')
    },
  )
  t.match(String(await bytesOf(await raw(url))), /data: 14\n\ndata: \[DONE\]\n\n$/)
})

t.test('an upstream that is down, or hangs up, is 502 in the envelope', async t => {
  const { url } = await proxied(t, {}, {}, response => response.destroy())
  const response = await raw(url)
  t.equal(response.statusCode, 502)
  t.match(JSON.parse(String(await bytesOf(response))), { error: { code: 'target_failed', source: 'target' } })
})

t.test('a slow client holds the upstream back, and is not taken for its silence', async t => {
  const megabytes = 32
  let drained = false
  const file = Buffer.alloc(megabytes * 1024 * 1024, 'x')
  const { url } = await proxied(t, { TARGET_TIMEOUT_MS: '1000' }, {}, response => {
    response.writeHead(200, { 'content-type': 'application/octet-stream', connection: 'close' })
    response.end(file, () => {
      drained = true
    })
  })
  const response = await raw(url)
  t.equal(response.statusCode, 200)
  await new Promise(resolve => setTimeout(resolve, 2500))
  t.notOk(drained, 'what the client does not read stays with the upstream')
  t.equal((await bytesOf(response)).length, megabytes * 1024 * 1024)
})

t.test('every other path and method is forwarded as it is', async t => {
  const { url, upstream } = await proxied(t, {}, {}, (response, { method }) => {
    response.writeHead(method === 'DELETE' ? 204 : 200, { 'x-seen': method }).end()
  })
  for (const [method, path, body] of [
    ['GET', '/v1/models?limit=2&after=a%20b', null],
    ['POST', '/v1/audio/transcriptions', '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n1\r\n--x--'],
    ['POST', '/v1/embeddings', '{"input":  1}'],
    ['GET', '/v1/chat/completions/abc', null],
    ['DELETE', '/v1/responses/resp_1', null],
  ] as const) {
    const response = await fetch(url + path, {
      method,
      body,
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    })
    t.equal(response.headers.get('x-seen'), method)
    t.match(upstream.last(), { method, url: path })
    t.equal(upstream.last().body.toString(), body ?? '')
    t.notOk(upstream.last().headers['transfer-encoding'])
  }
  const [head] = (await once(get(`${url}/v1/files`, { method: 'HEAD' }), 'response')) as [IncomingMessage]
  t.match(head.headers, { 'x-seen': 'HEAD' })
})

t.test('a path that leads out of /v1 is refused', async t => {
  const { url, upstream } = await proxied(t)
  for (const path of ['/v1/../admin', '/v1/%2e%2e/admin', '/v1/a/../../admin']) {
    const outgoing = httpRequest(url, { path })
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    t.equal(response.statusCode, 404, path)
    response.resume()
  }
  t.equal(upstream.requests.length, 0)
})

t.test('pages of allowed origins may read a reply, whatever the upstream says of origins', async t => {
  const origin = 'https://app.example.org'
  const { url } = await proxied(t, {}, {}, response => {
    response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'application/json' })
    response.end('{}')
  })
  const asItWas = await raw(url, { origin })
  t.equal(asItWas.headers['access-control-allow-origin'], '*', 'without CORS_ORIGINS nothing is changed')
  await bytesOf(asItWas)

  const open = await proxied(t, { CORS_ORIGINS: origin }, {}, response => {
    response.writeHead(200, { 'access-control-allow-origin': '*', 'content-type': 'application/json' })
    response.end('{}')
  })
  const allowed = await raw(open.url, { origin })
  t.match(allowed.headers, {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': /x-cropvlm-decision/,
    vary: /Origin/,
  })
  await bytesOf(allowed)
  const other = await raw(open.url, { origin: 'https://evil.example.org' })
  t.notOk('access-control-allow-origin' in other.headers)
  t.match(other.headers, { vary: /Origin/ })
  await bytesOf(other)
})
