/** Upstreams behind a proxy on loopback: whole URLs for http, tunnels for https; nothing else changes. */
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcp, type Server, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { ProxyConfig } from '../../../src/config/endpoint/proxies.js'
import { makeSender, type UpstreamRequest } from '../../../src/proxy/upstream/send.js'
import { connectProxy } from '../../support/network/connect-proxy.js'
import { NO_OPENSSL, selfSigned } from '../../support/network/tls-upstream.js'

async function open(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const { signal } = new AbortController()

/** Sends through the proxies, closed with the test. */
function sending(t: Test, proxies: Partial<ProxyConfig>, ca?: Buffer) {
  const sender = makeSender({ httpProxy: '', httpsProxy: '', noProxy: '', ...proxies }, ca)
  t.teardown(() => sender.close())
  return (address: string, more: Partial<UpstreamRequest> = {}) =>
    sender.send({
      method: 'POST',
      url: new URL(address),
      headers: [],
      body: Buffer.from('{}'),
      timeouts: { firstByteMs: 10_000, betweenMs: 10_000 },
      signal,
      ...more,
    })
}

/** What both kinds of upstream do: tell the request, one event at a time. */
function telling(): { ports: Set<unknown>; heads: string[][]; listener: RequestListener; next: () => void } {
  const told = { ports: new Set<unknown>(), heads: [] as string[][], listener, next: () => {} }
  async function listener(...[request, response]: Parameters<RequestListener>): Promise<void> {
    const body = await buffer(request)
    told.ports.add(request.socket.remotePort)
    told.heads.push(request.rawHeaders)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    for (const event of [`data: ${request.method} ${request.url} ${body}\n\n`, 'data: [DONE]\n\n']) {
      await new Promise<void>(resolve => {
        told.next = resolve
      })
      response.write(event)
    }
    response.end()
  }
  return told
}

const SENT = ['X-Twice', 'a', 'content-type', 'application/json', 'x-twice', 'b', 'content-length', '7']

/** Asks twice, a body at once and one as it comes, and reads each event before the next one is sent. */
async function readTwice(t: Test, ask: ReturnType<typeof sending>, url: string, told: ReturnType<typeof telling>) {
  for (const kind of ['whole', 'stream']) {
    const stream = new PassThrough()
    const body = kind === 'whole' ? Buffer.from('{"a":1}') : stream
    stream.end('{"a":1}')
    const reply = await ask(url, { headers: SENT, body })
    t.equal(reply.status, 200)
    const chunks = reply.body[Symbol.asyncIterator]()
    for (const event of ['data: POST /v1/chat?x=1 {"a":1}\n\n', 'data: [DONE]\n\n']) {
      told.next()
      t.equal(String((await chunks.next()).value), event, kind)
    }
    t.ok((await chunks.next()).done)
  }
}

t.test(
  'http: the proxy is asked for the whole URL, with its credentials; streams, and connections are kept',
  async t => {
    const told = telling()
    const proxy = await connectProxy(t, await open(t, createServer(told.listener)))
    const withPassword = proxy.url.replace('//', '//me:pass%40word@')
    const ask = sending(t, { httpProxy: withPassword, httpsProxy: 'http://127.0.0.1:1' })
    await readTwice(t, ask, 'http://vlm.test:8000/v1/chat?x=1', told)
    t.same(proxy.asked, Array(2).fill('POST http://vlm.test:8000/v1/chat?x=1'))
    t.same(proxy.credentials, Array(2).fill(`Basic ${Buffer.from('me:pass@word').toString('base64')}`))
    t.equal(proxy.callers.size, 1, 'one connection to the proxy')
    t.match(
      told.heads[0]?.join('\n'),
      /host\nvlm.test:8000\nx-twice\na, b\ncontent-type\napplication\/json\ncontent-length\n7/,
    )
  },
)

t.test(
  'https: through a tunnel, with its credentials; streams, and the tunnel is kept',
  { skip: NO_OPENSSL },
  async t => {
    const certificate = selfSigned(t, 'DNS:vlm.test')
    const told = telling()
    const proxy = await connectProxy(t, await open(t, createTlsServer(certificate, told.listener)))
    const withPassword = proxy.url.replace('//', '//me:pass%40word@')
    const proxies = { httpsProxy: withPassword, httpProxy: 'http://127.0.0.1:1' }
    await readTwice(t, sending(t, proxies, certificate.cert), 'https://vlm.test/v1/chat?x=1', told)
    t.same(proxy.asked, ['CONNECT vlm.test:443'])
    t.same(proxy.credentials, [`Basic ${Buffer.from('me:pass@word').toString('base64')}`])
    t.equal(told.ports.size, 1)
    t.match(told.heads[0], ['Host', 'vlm.test', ...SENT], 'as they were given, and nothing for the proxy')
    await t.rejects(sending(t, proxies)('https://vlm.test/v1'), { message: /certificate is not trusted/ })
  },
)

t.test('NO_PROXY excepts a host, and a proxy is for one scheme', async t => {
  const port = await open(
    t,
    createServer((_, response) => response.end('direct')),
  )
  const proxy = await connectProxy(t, port)
  const url = `http://127.0.0.1:${port}/v1`
  for (const proxies of [{ httpProxy: proxy.url, noProxy: 'vlm.test,127.0.0.1' }, { httpsProxy: proxy.url }])
    t.equal(String(await buffer((await sending(t, proxies)(url)).body)), 'direct')
  t.equal(proxy.asked.length, 0)
})

t.test('a proxy that refuses, is not there, says nothing, or speaks SOCKS', async t => {
  const [refusing, asking] = [await connectProxy(t, 1, 403), await connectProxy(t, 1, 407)]
  const mute = await open(t, createTcp())
  const secure = 'https://vlm.test/v1'
  const rows: [proxies: Partial<ProxyConfig>, url: string, message: RegExp][] = [
    [{ httpsProxy: refusing.url }, secure, /the proxy that HTTPS_PROXY or HTTP_PROXY names refused it/],
    [{ httpsProxy: asking.url }, secure, /names refused it/],
    [{ httpProxy: asking.url }, 'http://vlm.test/v1', /names refused it/],
    [{ httpsProxy: 'http://127.0.0.1:1' }, secure, /cannot be reached; check its address, or except the host/],
    [{ httpProxy: 'http://127.0.0.1:1' }, 'http://vlm.test/v1', /cannot be reached/],
    [{ httpsProxy: 'socks5://127.0.0.1:1' }, secure, /SOCKS proxy; name an HTTP proxy/],
  ]
  for (const [proxies, url, message] of rows)
    await t.rejects(sending(t, proxies)(url), { code: 'target_failed', message }, JSON.stringify(proxies))
  const silent = { httpsProxy: `http://127.0.0.1:${mute}` }
  await t.rejects(sending(t, silent)(secure, { timeouts: { firstByteMs: 100, betweenMs: 10_000 } }), {
    code: 'target_timeout',
  })
  const gone = new AbortController()
  const hung = sending(t, silent)(secure, { signal: gone.signal })
  gone.abort()
  await t.rejects(hung, { code: 'request_aborted' })
})

t.test('a tunnel that breaks while a reply comes', { skip: NO_OPENSSL }, async t => {
  const certificate = selfSigned(t, 'DNS:vlm.test')
  const server = createTlsServer(certificate, (request, response) => {
    request.resume()
    response.write('x', () => response.destroy())
  })
  const proxy = await connectProxy(t, await open(t, server))
  const { body } = await sending(t, { httpsProxy: proxy.url }, certificate.cert)('https://vlm.test/v1')
  const [error] = await Promise.all([once(body, 'error').then(([error]) => error), buffer(body).catch(() => {})])
  t.equal(error.code, 'ECONNRESET')
})
