import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { makeSender } from '../../../src/proxy/upstream/send.js'

const NONE = { httpProxy: '', httpsProxy: '', noProxy: '' }
const sender = makeSender(NONE)
t.teardown(() => sender.close())

const call = (port: number, more: object = {}) => ({
  method: 'POST',
  url: new URL(`http://127.0.0.1:${port}/x`),
  headers: [],
  body: Buffer.from('body'),
  timeouts: { firstByteMs: 10_000, betweenMs: 10_000 },
  signal: new AbortController().signal,
  ...more,
})

t.test('connections are kept; one that was closed meanwhile is made anew, once', async t => {
  const ports = new Set<number | undefined>()
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    ports.add(request.socket.remotePort)
    // the third comes on a connection that is closed without an answer
    if (requests === 3) request.socket.resetAndDestroy()
    else response.end('ok')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  for (const _ of [1, 2, 3]) t.equal((await buffer((await sender.send(call(port))).body)).toString(), 'ok')
  t.equal(requests, 4)
  t.equal(ports.size, 2)
})

t.test('a reply that ends with its connection while nobody reads it does no harm', async t => {
  // undici 7 ends the process here
  const length = 65_536
  const server = createTcp(socket => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
      socket.end(Buffer.alloc(length, 'x'))
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { body } = await sender.send(call((server.address() as AddressInfo).port))
  await new Promise(resolve => setTimeout(resolve, 300))
  t.equal((await buffer(body)).length, length)
})

t.test('what keeps a connection from being made', async t => {
  const server = createTcp(socket => {
    socket.on('error', () => {})
    socket.end('no HTTP\r\n\r\n')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const rows: [url: string, message: RegExp][] = [
    [`http://127.0.0.1:${port}/x`, /speaks no HTTP/],
    [`https://127.0.0.1:${port}/x`, /does not speak TLS; TARGET_BASE_URL/],
    ['http://nowhere.invalid/x', /name of its host is not found; check TARGET_BASE_URL/],
    ['http://127.0.0.1:1/x', /it is down, or it hung up/],
  ]
  for (const [url, message] of rows)
    await t.rejects(sender.send(call(1, { url: new URL(url) })), { code: 'target_failed', message })
})

t.test('nobody listens; nobody waits', async t => {
  await t.rejects(sender.send(call(1)), { code: 'target_failed', details: { status: null } })
  await t.rejects(sender.send(call(1, { signal: AbortSignal.abort() })), { code: 'request_aborted' })
})
