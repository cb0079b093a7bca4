/** How the service ends, as a process of its own, with requests of every kind at every stage. */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { compiledService } from './support/compiled.js'
import { form, IMAGE } from './support/fakes/app.js'
import { completion, upstream } from './support/fakes/upstream.js'
import { Wire } from './support/network/wire.js'
import { type Server, startServer } from './support/server.js'

const service = compiledService()

/** Requests of each kind at each stage. */
const EACH = Number(process.env.SHUTDOWN_REQUESTS ?? 4)

t.setTimeout(240_000 * Math.max(1, EACH / 4))

/** A request, cut in three. */
interface Pieces {
  halfHeaders: string
  restOfHeaders: string
  body: Buffer
}

function pieces(path: string, type: string, body: string | Buffer): Pieces {
  const bytes = Buffer.from(body as string)
  const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\n\r\n`
  return { halfHeaders: head.slice(0, 30), restOfHeaders: head.slice(30), body: bytes }
}

const chat = (more: object = {}) =>
  pieces(
    '/v1/chat/completions',
    'application/json',
    JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'What is the total? '.repeat(200) }], ...more }),
  )
const { payload, headers } = await form({ image: IMAGE, question: 'What is the total?' })
const json = JSON.stringify({ image: Buffer.from(IMAGE).toString('base64'), question: 'What is the total?' })

const KINDS: Record<string, Pieces> = {
  JSON: pieces('/crop', 'application/json', json),
  multipart: pieces('/crop', headers['content-type'], payload),
  '/answer': pieces('/answer', headers['content-type'], payload),
  '/v1': chat(),
}

/** How much of a request is out when the signal comes, and what is left. */
const STAGES: Record<string, (request: Pieces) => [before: Buffer, after: Buffer]> = {
  'half the headers': ({ halfHeaders, restOfHeaders, body }) => [
    Buffer.from(halfHeaders),
    Buffer.concat([Buffer.from(restOfHeaders), body]),
  ],
  'the headers': ({ halfHeaders, restOfHeaders, body }) => [Buffer.from(halfHeaders + restOfHeaders), body],
  'half the body': ({ halfHeaders, restOfHeaders, body }) => [
    Buffer.concat([Buffer.from(halfHeaders + restOfHeaders), body.subarray(0, body.length >> 1)]),
    body.subarray(body.length >> 1),
  ],
  'all of it': request => [wholeOf(request), Buffer.alloc(0)],
}

function wholeOf({ halfHeaders, restOfHeaders, body }: Pieces): Buffer {
  return Buffer.concat([Buffer.from(halfHeaders + restOfHeaders), body])
}

async function open(t: Test, url: string, count: number): Promise<Wire[]> {
  const wires = await Promise.all(Array.from({ length: count }, () => Wire.open(url)))
  t.teardown(() => {
    for (const wire of wires) wire.destroy()
  })
  return wires
}

/** An endpoint whose answers, and whose streams but for their first event, wait for `release`. */
async function heldUpstream(t: Test) {
  let release = () => {}
  const gate = new Promise<void>(resolve => {
    release = resolve
  })
  const { baseUrl, received } = await upstream(t, async (response, one, socket) => {
    const isStream = 'stream' in one.body
    if (isStream) response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    await gate
    if (isStream) response.end('data: [DONE]\n\n')
    else completion('482')(response, one, socket)
  })
  return { baseUrl, received, release: () => release() }
}

async function start(t: Test, env: Record<string, string>): Promise<{ server: Server; url: string; engine: number }> {
  const server = startServer(t, service, { TARGET_MODEL: 'm', LOCAL_TARGET_MODEL: '', QUEUE_SIZE: '1000', ...env })
  const url = String((await server.line('ready; try')).url)
  return { server, url, engine: Number((await server.line('engine process started')).engine) }
}

const hasEnded = (pid: number) => {
  try {
    // it may be left for whoever adopts it
    return / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return true
  }
}

t.test('SIGTERM: all that has begun to arrive is answered, and nothing else', async t => {
  const { baseUrl, release } = await heldUpstream(t)
  // nothing here is about time
  const patience = { SHUTDOWN_GRACE_MS: '600000', REQUEST_TIMEOUT_MS: '600000', TARGET_TIMEOUT_MS: '600000' }
  const { server, url, engine } = await start(t, {
    TARGET_BASE_URL: baseUrl,
    ENGINE_HEARTBEAT_MS: '60000',
    ...patience,
  })
  const pid = Number(server.process.pid)
  const { JSON: crop } = KINDS as { JSON: Pieces }

  const idle = await open(t, url, EACH)
  for (const wire of idle) await wire.write(wholeOf(crop))
  for (const wire of idle) t.equal((await wire.replies(1))[0]?.status, 200)
  const spare = await open(t, url, EACH)
  const streams = await open(t, url, EACH)
  for (const wire of streams) await wire.write(wholeOf(chat({ stream: true })))
  for (const wire of streams) await wire.until('data: 1')

  // what is sent from here on is still with the system when the signal comes
  process.kill(engine, 'SIGSTOP')
  process.kill(pid, 'SIGSTOP')
  const sent: { name: string; wire: Wire; after: Buffer; replies: number }[] = []
  for (const [kind, request] of Object.entries(KINDS))
    for (const [stage, cut] of Object.entries(STAGES)) {
      const [before, after] = cut(request)
      for (const wire of await open(t, url, EACH)) {
        await wire.write(before)
        sent.push({ name: `${kind}, ${stage} sent`, wire, after, replies: 1 })
      }
    }
  for (const wire of await open(t, url, EACH)) {
    await wire.write(Buffer.concat([wholeOf(crop), wholeOf(crop)]))
    sent.push({ name: 'two requests sent at once', wire, after: Buffer.alloc(0), replies: 2 })
  }
  for (const wire of await open(t, url, EACH)) {
    await wire.write(Buffer.concat([wholeOf(crop), Buffer.from(crop.halfHeaders)]))
    const after = Buffer.concat([Buffer.from(crop.restOfHeaders), crop.body])
    sent.push({ name: 'a request sent, and half the headers of the next', wire, after, replies: 2 })
  }
  const kept = idle.splice(0, idle.length >> 1)
  for (const wire of kept) {
    await wire.write(crop.halfHeaders)
    const after = Buffer.concat([Buffer.from(crop.restOfHeaders), crop.body])
    sent.push({ name: 'half the headers sent on a connection that was idle', wire, after, replies: 2 })
  }
  process.kill(pid, 'SIGTERM')
  process.kill(pid, 'SIGCONT')

  await server.line('SIGTERM')
  await Promise.all([...idle, ...spare].map(wire => wire.closed))
  t.pass('idle connections are closed while others are answered')
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  const ready = await fetch(`${url}/health/ready`)
  t.match([ready.status, await ready.json()], [503, { error: { code: 'draining' } }])

  const late = Object.values(KINDS).flatMap(request => Object.values(STAGES).map(cut => cut(request)))
  const lateWires = await open(t, url, late.length)
  const [first] = streams
  await first?.write(wholeOf(crop))
  await Promise.all(lateWires.map((wire, i) => wire.write((late[i] as [Buffer, Buffer])[0])))
  for (const [i, wire] of lateWires.entries()) {
    // where the headers are out, the reply comes before the body
    if (!late[i]?.[0].includes('\r\n\r\n')) await wire.write((late[i] as [Buffer, Buffer])[1])
    const [reply] = await wire.replies(1)
    t.match(reply, { status: 503, headers: { connection: 'close', 'retry-after': /^\d+$/ } })
    t.match(JSON.parse(reply?.body ?? ''), { error: { code: 'draining', source: 'gateway' } })
  }

  process.kill(engine, 'SIGCONT')
  for (const { wire, after } of sent) await wire.write(after)
  release()
  for (const { name, wire, replies } of sent) {
    const came = await wire.replies(replies).catch((error: Error) => error.message)
    const whole = typeof came === 'string' ? [came] : came.map(({ status }) => status)
    t.same(whole, Array(replies).fill(200), name)
    if (typeof came !== 'string') t.equal(came.at(-1)?.headers.connection, 'close', name)
  }
  for (const wire of streams) t.match((await wire.replies(1))[0], { status: 200, body: 'data: 1\n\ndata: [DONE]\n\n' })
  t.match((await first?.replies(2))?.[1], { status: 503, headers: { connection: 'close' } }, 'late, behind a stream')
  t.equal(await server.exit, 0)
  t.ok(hasEnded(engine))
  t.same(
    server.lines.filter(({ level }) => Number(level) >= 50),
    [],
  )
})

t.test('what is not done in the grace time is cut off with an error, and the process ends with 1', async t => {
  const { baseUrl, received } = await heldUpstream(t)
  const { server, url, engine } = await start(t, { TARGET_BASE_URL: baseUrl, SHUTDOWN_GRACE_MS: '1000' })
  const waiting = [KINDS['/v1'], KINDS['/answer']] as Pieces[]
  const asked = await open(t, url, waiting.length)
  for (const [i, wire] of asked.entries()) await wire.write(wholeOf(waiting[i] as Pieces))
  const [stream] = (await open(t, url, 1)) as [Wire]
  await stream.write(wholeOf(chat({ stream: true })))
  await stream.until('data: 1')
  while (received.length < 3) await new Promise(resolve => setTimeout(resolve, 5))
  const partial = Object.values(KINDS).flatMap(request =>
    Object.values(STAGES)
      .slice(0, 3)
      .map(cut => cut(request)[0]),
  )
  const slow = await open(t, url, partial.length)
  for (const [i, wire] of slow.entries()) await wire.write(partial[i] as Buffer)
  server.process.kill('SIGTERM')
  for (const wire of [...asked, ...slow]) {
    const [reply] = await wire.replies(1)
    t.match(reply, { status: 503, headers: { connection: 'close', 'retry-after': /^\d+$/ } })
    t.match(JSON.parse(reply?.body ?? ''), { error: { code: 'draining', message: /SHUTDOWN_GRACE_MS/ } })
  }
  await stream.closed
  t.ok(stream.text.endsWith('data: 1\n\n\r\n'), 'a stream ends without its last chunk')
  t.match(await server.line('cut off'), {
    level: 50,
    msg: /after 1000 ms, and were cut off: 15; raise SHUTDOWN_GRACE_MS/,
  })
  t.equal(await server.exit, 1)
  t.ok(hasEnded(engine))
})

t.test('a second signal ends it at once, with 1', async t => {
  const { baseUrl, received } = await heldUpstream(t)
  const { server, url, engine } = await start(t, { TARGET_BASE_URL: baseUrl, SHUTDOWN_GRACE_MS: '3600000' })
  const [wire] = (await open(t, url, 1)) as [Wire]
  await wire.write(wholeOf(chat()))
  while (received.length < 1) await new Promise(resolve => setTimeout(resolve, 5))
  server.process.kill('SIGTERM')
  await server.line('SIGTERM')
  server.process.kill('SIGINT')
  t.equal(await server.exit, 1)
  await wire.closed
  while (!hasEnded(engine)) await new Promise(resolve => setTimeout(resolve, 5))
  t.pass('the engine process ends as well')
})
