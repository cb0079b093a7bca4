/** What a link may take: bytes, time and turns; and hosts that give no file. */
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { startImageHost } from '../support/network/image-host.js'
import { FILE, fetched, giveFile, redirect, refused, setUp } from './set-up.js'

t.test('a file over the limit is not read to its end', async t => {
  const chunk = Buffer.alloc(1024)
  let sent = 0
  const host = await startImageHost(t, ({ url }, reply) => {
    if (url === '/told') reply.writeHead(200, { 'content-length': 2 ** 40 }).write(chunk)
    else if (url === '/exact') reply.end(Buffer.alloc(4096))
    else if (url === '/chunks') {
      const send = () => {
        while (!reply.destroyed && reply.write(chunk)) sent += chunk.length
        sent += chunk.length
      }
      reply.on('drain', send)
      send()
    } else redirect(reply, '/told')
  })
  const { links } = await setUp(t, { hosts: `*:${host.port}`, env: { MAX_BODY_BYTES: '4096' } })
  for (const path of ['told', 'chunks', 'redirected'])
    t.match(
      await refused(links, `http://a.test:${host.port}/${path}`),
      { code: 'body_too_large', param: 'image', message: /over 4096 bytes/ },
      path,
    )
  t.ok(sent >= 4096 && sent < 2 ** 26, `${sent} bytes were sent`)
  t.equal((await fetched(links, `http://a.test:${host.port}/exact`)).length, 4096)
})

t.test('replies that are no file', async t => {
  const host = await startImageHost(t, ({ url = '' }, reply) => {
    const status = Number(url.slice(1))
    if (status > 0) reply.writeHead(status, status === 302 ? {} : { location: '/200' }).end('x')
    else if (url === '/gzip') reply.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(2 ** 20)))
    else if (url === '/short') {
      reply.writeHead(200, { 'content-length': 100 }).write('x')
      setImmediate(() => reply.destroy())
    } else reply.socket?.end('what?')
  })
  const { links } = await setUp(t, { hosts: `*:${host.port}` })
  for (const status of [201, 204, 206, 302, 304, 403, 404, 500]) {
    const error = await refused(links, `http://a.test:${host.port}/${status}`)
    t.match(error, { code: 'url_failed', details: { status }, message: new RegExp(`answers with status ${status}\\.`) })
  }
  t.match(await refused(links, `http://a.test:${host.port}/gzip`), { code: 'url_failed', message: /compressed/ })
  for (const path of ['short', 'noise'])
    t.match(
      await refused(links, `http://a.test:${host.port}/${path}`),
      { code: 'url_failed', message: /breaks off/ },
      path,
    )
})

t.test('a host that cannot be reached', async t => {
  const gone = await startImageHost(t, giveFile)
  const { links } = await setUp(t, {
    hosts: `*:${gone.port + 1},*:9`,
    zone: name => (name === 'servfail.test' ? 'failure' : ['127.0.0.1']),
  })
  t.match(await refused(links, 'http://a.test:9/'), {
    code: 'url_failed',
    message: /cannot be reached/,
    cause: { code: 'ECONNREFUSED' },
  })
  t.match(await refused(links, 'http://servfail.test:9/'), {
    code: 'url_failed',
    message: /cannot be reached/,
    cause: { code: 'ESERVFAIL' },
  })
})

t.test('whatever takes too long ends at the timeout', async t => {
  const host = await startImageHost(t, ({ url }, reply) => {
    if (url === '/mute') return
    if (url === '/round') return void setTimeout(() => redirect(reply, '/round'), 60)
    reply.writeHead(200).write('x')
    const drip = setInterval(() => reply.write('x'), 5)
    reply.on('close', () => clearInterval(drip))
  })
  const { links } = await setUp(t, {
    hosts: `*:${host.port}`,
    env: { IMAGE_URL_TIMEOUT_MS: '150' },
    zone: name => (name === 'silent.test' ? 'silence' : ['127.0.0.1']),
  })
  for (const link of ['a.test/drip', 'a.test/mute', 'a.test/round', 'silent.test/drip'])
    t.match(
      await refused(links, `http://${link.replace('/', `:${host.port}/`)}`),
      { code: 'url_timeout', message: /within 150 ms \(IMAGE_URL_TIMEOUT_MS\)/ },
      link,
    )
})

t.test('who waits decides: the deadline of the request, and a client that goes away', async t => {
  let asked = () => {}
  const host = await startImageHost(t, () => asked())
  const { links } = await setUp(t, { hosts: `*:${host.port}` })
  const link = `http://a.test:${host.port}/`
  const never = new AbortController().signal
  t.match(await refused(links, link, { signal: never, deadline: Date.now() + 100 }), { code: 'deadline_exceeded' })
  t.match(await refused(links, link, { signal: never, deadline: Date.now() - 1 }), { code: 'deadline_exceeded' })
  const controller = new AbortController()
  asked = () => controller.abort(new Error('gone'))
  t.match(await refused(links, link, { signal: controller.signal, deadline: Number.POSITIVE_INFINITY }), {
    message: 'gone',
  })
  const before = host.connections()
  t.match(await refused(links, link, { signal: controller.signal, deadline: Number.POSITIVE_INFINITY }), {
    message: 'gone',
  })
  t.equal(host.connections(), before)
})

t.test('so many at once', async t => {
  const waiting: ServerResponse[] = []
  let arrived = () => {}
  const both = new Promise<void>(resolve => {
    arrived = resolve
  })
  const host = await startImageHost(t, (_request, reply) => {
    waiting.push(reply)
    if (waiting.length === 2) arrived()
    if (waiting.length > 2) reply.end(FILE)
  })
  const { links } = await setUp(t, { hosts: `*:${host.port}`, env: { QUEUE_SIZE: '2' } })
  const link = `http://a.test:${host.port}/`
  const two = [fetched(links, link), fetched(links, link)]
  await both
  t.match(await refused(links, link), { code: 'queue_full' })
  for (const reply of waiting) reply.end(FILE)
  t.strictSame(await Promise.all(two), [FILE, FILE])
  t.strictSame(await fetched(links, link), FILE, 'there is room again')
})
