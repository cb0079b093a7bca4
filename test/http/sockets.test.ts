/** What only a real socket shows: bodies that stall or do not end, clients that go away, replies that come early. */
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { CropVlmError } from '../../src/errors.js'
import { type Envelope, form, IMAGE, listen } from '../support/fakes/app.js'
import { hang, located } from '../support/fakes/scripted-engine.js'
import { dial, parse, readAll } from './raw.js'

const ASK = { image: IMAGE, question: 'q' }
const JSON_TYPE = { 'content-type': 'application/json' }

async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (.*)$`, 'm').exec(text)?.[1])
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 5))
}

t.test('what the engine has no room for is refused before its body is sent', async t => {
  for (const path of ['/crop', '/answer']) {
    const { port, engine } = await listen(t, {
      checkRoom() {
        throw new CropVlmError('queue_full', 'The queue is full.', { retryAfter: 2 })
      },
    })
    const socket = await dial(port, path, ['content-type: multipart/form-data; boundary=x', 'content-length: 100000'])
    const [head] = await once(socket, 'data')
    t.equal(parse(String(head)).status, 429)
    t.equal(engine.jobs.length, 0)
    socket.destroy()
  }
})

t.test('a connection whose requests are refused early is kept, and nothing piles up on it', async t => {
  const warnings: string[] = []
  const warned = (warning: Error) => warnings.push(warning.message)
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const { port } = await listen(t, {
    checkRoom() {
      throw new CropVlmError('queue_full', 'The queue is full.', { retryAfter: 2 })
    },
  })
  const body = Buffer.alloc(10_000)
  const head = ['POST /crop HTTP/1.1', 'host: x', 'content-type: image/jpeg', `content-length: ${body.length}`, '', '']
  const socket = connect(port, '127.0.0.1')
  for (let i = 0; i < 15; i++) {
    socket.write(head.join('\r\n'))
    const [reply] = await once(socket, 'data')
    t.equal(parse(String(reply)).status, 429)
    socket.write(body)
  }
  t.same(warnings, [])
  socket.destroy()
})

t.test('a client that goes away takes its job with it', async t => {
  for (const kind of ['form', 'json']) {
    let started: () => void = () => {}
    const running = new Promise<void>(resolve => (started = resolve))
    let reason: Promise<unknown> | undefined
    const { url } = await listen(t, {
      locate(job, call) {
        const result = hang(job, call)
        reason = result.catch(error => error)
        started()
        return result
      },
    })
    const client = new AbortController()
    const { payload, headers } = await form(ASK)
    const json = JSON.stringify({ image: IMAGE.toString('base64'), question: 'q' })
    const init = kind === 'form' ? { body: new Uint8Array(payload), headers } : { body: json, headers: JSON_TYPE }
    const reply = fetch(`${url}/crop`, { method: 'POST', ...init, signal: client.signal })
    await Promise.race([running, reply])
    client.abort()
    await t.rejects(reply, { name: 'AbortError' })
    t.match(await reason, { code: 'request_aborted' }, kind)
    await until(async () => (await metric(url, 'cropvlm_requests_total{route="/crop",status="499"}')) === 1)
    t.equal(await metric(url, 'cropvlm_requests_in_flight'), 1, 'the scrape itself')
  }
})

t.test('a job that takes its time is not aborted by the end of the body', async t => {
  const { url } = await listen(t, {
    async locate(job, { signal }) {
      await new Promise(resolve => setTimeout(resolve, 100))
      signal.throwIfAborted()
      return located(job)
    },
  })
  const { payload, headers } = await form(ASK)
  const json = JSON.stringify({ image: IMAGE.toString('base64'), question: 'q' })
  for (const init of [
    { body: new Uint8Array(payload), headers },
    { body: json, headers: JSON_TYPE },
  ])
    t.equal((await fetch(`${url}/crop`, { method: 'POST', ...init })).status, 200)
})

t.test("the deadline is the engine's to keep; an engine that does not keep it is not waited for", async t => {
  const { payload, headers } = await form(ASK)
  for (const locate of [hang, () => new Promise<never>(() => {})]) {
    const { url } = await listen(t, { locate }, { REQUEST_TIMEOUT_MS: '100' })
    const reply = await fetch(`${url}/crop`, { method: 'POST', body: new Uint8Array(payload), headers })
    t.equal(reply.status, 504)
    t.match(await reply.json(), { error: { code: 'deadline_exceeded', type: 'server_error', source: 'gateway' } })
  }
})

t.test('a body that stalls is answered with 504 and its socket closed', async t => {
  const { port } = await listen(t, {}, { REQUEST_TIMEOUT_MS: '100' })
  const part = '--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\nxx'
  const starts = [
    ['multipart/form-data; boundary=b', part],
    ['multipart/form-data; boundary=b', ''],
    ['application/json', '{"im'],
  ] as const
  const stall = async ([type, start]: (typeof starts)[number]) => {
    const socket = await dial(port, '/crop', [`content-type: ${type}`, 'content-length: 5000'], start)
    const { status, body } = parse(await readAll(socket))
    t.equal(status, 504)
    t.equal(body.error.code, 'deadline_exceeded')
  }
  await Promise.all(starts.map(stall))
})

t.test('headers that stall get 408 in the envelope', async t => {
  const { port } = await listen(t, {}, { REQUEST_TIMEOUT_MS: '100' })
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /crop HTTP/1.1\r\nhost: x\r\n')
  const { status, body } = parse(await readAll(socket))
  t.equal(status, 408)
  t.match(body, { error: { type: 'invalid_request_error', source: 'gateway' }, request_id: /-/ })
})

t.test('a body without end is cut at the limit, and the client can read why', async t => {
  const { port, engine } = await listen(t, {}, { MAX_BODY_BYTES: '100000' })
  const part = (name: string) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n`
  const starts = [
    ['multipart/form-data; boundary=b', part('image"; filename="a')],
    ['multipart/form-data; boundary=b', part('question')],
    ['multipart/form-data; boundary=b', 'no part yet'],
    ['application/json', '{"image": "'],
  ] as const
  const chunk = (data: string) => `${data.length.toString(16)}\r\n${data}\r\n`
  const flood = async ([type, start]: (typeof starts)[number]) => {
    const socket = await dial(port, '/crop', [`content-type: ${type}`, 'transfer-encoding: chunked'], chunk(start))
    // keeps sending until the server has had enough of it
    const pump = setInterval(() => socket.write(chunk('x'.repeat(10_000))), 1)
    const { status, body } = parse(await readAll(socket).finally(() => clearInterval(pump)))
    t.equal(status, 413, start)
    t.equal(body.error.code, 'body_too_large')
  }
  await Promise.all(starts.map(flood))
  t.equal(engine.jobs.length, 0)
})

t.test(
  'a body too large by its length is refused, and the client that sends it all the same reads the reply',
  async t => {
    const { url } = await listen(t)
    const body = new Uint8Array(25 * 1024 * 1024)
    for (const type of ['application/json', 'multipart/form-data; boundary=b']) {
      const reply = await fetch(`${url}/crop`, { method: 'POST', body, headers: { 'content-type': type } })
      t.equal(reply.status, 413)
      t.equal(((await reply.json()) as Envelope).error.code, 'body_too_large')
    }
  },
)

t.test('one that wants the connection closed reads the reply too, and then it is closed', async t => {
  const { port } = await listen(t)
  const length = 25 * 1024 * 1024
  const head = ['content-type: application/json', `content-length: ${length}`, 'connection: close']
  const socket = await dial(port, '/crop', head, 'x')
  const reply = readAll(socket)
  await once(socket, 'data')
  // in pieces: a connection that had been reset by now would fail the next one
  const piece = Buffer.alloc(1024 * 1024, 'x')
  for (let sent = 1; sent < length; sent += piece.length)
    if (!socket.write(piece.subarray(0, length - sent))) await once(socket, 'drain')
  t.equal(parse(await reply).status, 413)
  t.notOk(socket.errored, 'no piece was refused')
})

t.test('after an early error the connection can be used again', async t => {
  const { port } = await listen(t)
  const { payload, headers } = await form({ oops: 'x', image: Buffer.alloc(300_000), question: 'q' })
  const head = [`content-type: ${headers['content-type']}`, `content-length: ${payload.length}`]
  const socket = await dial(port, '/crop', head, payload)
  const [first] = await once(socket, 'data')
  t.match(String(first), /^HTTP\/1\.1 400 [\s\S]*unknown_option/)
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  t.match(await readAll(socket), /^HTTP\/1\.1 200 [\s\S]*live/)
})

t.test('a client that goes away within its body does no harm', async t => {
  const { port, url, engine } = await listen(t)
  const part = '--b\r\ncontent-disposition: form-data; name="image"; filename="a"\r\n\r\nxx'
  for (const type of ['multipart/form-data; boundary=b', 'application/json']) {
    const socket = await dial(port, '/crop', [`content-type: ${type}`, 'content-length: 5000'], part)
    await until(async () => (await metric(url, 'cropvlm_requests_in_flight')) === 2)
    socket.destroy()
    await until(async () => (await metric(url, 'cropvlm_requests_in_flight')) === 1)
  }
  t.equal(engine.jobs.length, 0)
  t.equal((await fetch(`${url}/health`)).status, 200)
})

t.test('what is no HTTP gets the envelope too', async t => {
  const { port } = await listen(t)
  const broken = connect(port, '127.0.0.1')
  broken.write('hello\r\n\r\n')
  t.match(parse(await readAll(broken)), { status: 400, body: { error: { code: 'invalid_body' } } })
  const long = await dial(port, '/crop', [`x-long: ${'x'.repeat(20_000)}`])
  t.equal(parse(await readAll(long)).status, 431)
})

t.test('a client that closes its half of the connection gets its reply', async t => {
  const { payload, headers } = await form(ASK)
  const json = JSON.stringify({ image: IMAGE.toString('base64'), question: 'q' })
  const requests = [
    ['POST', '/crop', headers['content-type'], payload],
    ['POST', '/answer', 'application/json', json],
    ['GET', '/info', 'text/plain', ''],
  ] as const
  for (const delay of [0, 600]) {
    const { port } = await listen(t, {
      async locate(job) {
        await new Promise(resolve => setTimeout(resolve, delay))
        return located(job)
      },
    })
    for (const [method, path, type, body] of requests) {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      const head = `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
      socket.end(Buffer.concat([Buffer.from(head), Buffer.from(body)]))
      const text = await readAll(socket)
      t.match(text, /^HTTP\/1\.1 200 OK\r\n/, `${path} after ${delay} ms`)
      t.equal(text.indexOf('HTTP/1.1'), text.lastIndexOf('HTTP/1.1'))
      const told = parse(text).body as unknown as { object?: string; name?: string }
      t.match(told, method === 'GET' ? { name: 'cropvlm' } : { object: path.slice(1) })
    }
  }
})

t.test('errors, several requests on one connection, and a body cut short by that', async t => {
  const { port } = await listen(t)
  const dialled = () => connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const wrong = dialled()
  wrong.end('GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n')
  t.match(parse(await readAll(wrong)), { status: 404, body: { error: { code: 'not_found' } } })
  const both = dialled()
  both.end('GET /health HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3))
  t.equal((await readAll(both)).match(/HTTP\/1\.1 200 OK/g)?.length, 3)
  const cut = dialled()
  cut.end('POST /crop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"im')
  t.match(await readAll(cut), /^(HTTP\/1\.1 400 |$)/)
  t.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200)
})

t.test('a client that closes its half and then resets the connection has gone', async t => {
  let started: () => void = () => {}
  const running = new Promise<void>(resolve => (started = resolve))
  let ended: Promise<unknown> | undefined
  const { port } = await listen(t, {
    locate(job, call) {
      const result = hang(job, call)
      ended = result.catch(error => error)
      started()
      return result
    },
  })
  const { payload, headers } = await form(ASK)
  const head = [`content-type: ${headers['content-type']}`, `content-length: ${payload.length}`]
  const socket = await dial(port, '/crop', head, payload)
  socket.end()
  await running
  socket.resetAndDestroy()
  t.match(await ended, { code: 'request_aborted' })
})

t.test('a body that is cut short is told as such', async t => {
  const { port } = await listen(t)
  const socket = await dial(port, '/crop', ['content-type: application/json', 'content-length: 100'], '{')
  socket.end()
  const { status, body } = parse(await readAll(socket))
  t.equal(status, 400)
  t.match(body.error, { code: 'invalid_body', message: /connection ended before all of the body had come/ })
})
