/** What is told of requests, and what calls carry, over a scripted engine. */
import { connect } from 'node:net'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import { imageLinks } from '../../src/links/links.js'
import { type Env, form, IMAGE, listen, makeApp, post } from '../support/fakes/app.js'
import { ask, proxied } from '../support/fakes/proxy.js'
import { recorder } from '../support/fakes/recorder.js'
import { hang, type Script } from '../support/fakes/scripted-engine.js'
import { completion, upstream } from '../support/fakes/upstream.js'
import { collector } from '../support/network/collector.js'
import { startDns } from '../support/network/dns-server.js'
import { startImageHost } from '../support/network/image-host.js'
import { childrenOf, isNested, serverSpan, spanNamed } from '../support/network/spans.js'

// the SDK reads these two by itself
process.env.OTEL_BSP_SCHEDULE_DELAY = '20'
process.env.OTEL_EXPORTER_OTLP_TIMEOUT = '200'

const CALLER = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'vendor=1' }
const question = 'What is the total?'

function record() {
  const lines: Record<string, unknown>[] = []
  return { lines, log: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }) }
}

async function traced(t: Test, env: Env = {}) {
  const traces = await collector(t)
  return { traces, env: { OTEL_EXPORTER_OTLP_ENDPOINT: traces.endpoint, ...env } }
}

/** A host `img.test` with one picture. */
async function withLinks(t: Test, more: Env) {
  const host = await startImageHost(t, ({ url }, reply) => {
    if (url?.startsWith('/page.png')) reply.end(IMAGE)
    else reply.writeHead(404).end()
  })
  const { resolver } = await startDns(t, () => ['127.0.0.1'])
  const env = { IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*.test:${host.port}`, ...more }
  return { host, env, links: imageLinks(readConfig(env), { resolver, isAllowedAddress: () => true }) }
}

t.test('the fetch of a link tells the host and no more, and carries nothing to it', async t => {
  const { traces, env: on } = await traced(t)
  const { host, env, links } = await withLinks(t, on)
  const { app } = await makeApp(t, {}, env, { links })
  const link = (path: string) => `http://img.test:${host.port}${path}?signature=hush`
  t.equal((await post(app, '/crop', { json: { image: link('/page.png'), question } }, CALLER)).status, 200)
  const other = { traceparent: CALLER.traceparent.replace('4', '5') }
  t.equal((await post(app, '/crop', { json: { image: link('/none'), question } }, other)).status, 422)
  const fetched = await traces.trace('4bf92f3577b34da6a3ce929d0e0e4736')
  const none = await traces.trace('5bf92f3577b34da6a3ce929d0e0e4736')
  isNested(t, fetched)
  const span = spanNamed(fetched, 'fetch image')
  t.match(span, {
    kind: 'client',
    failed: false,
    attributes: { 'server.address': 'img.test', 'http.response.body.size': IMAGE.length },
  })
  t.match(spanNamed(none, 'fetch image').attributes, { 'error.type': 'url_failed' })
  t.notMatch(traces.sent.map(({ body }) => body).join(), 'hush')
  for (const { headers } of host.requests)
    for (const name of ['traceparent', 'tracestate', 'x-request-id']) t.notOk(headers[name], name)
})

t.test("a cropper's endpoint is a call like the target's, in the trace of the request", async t => {
  const { traces, env } = await traced(t)
  const cropper = await upstream(t, completion('[10, 10, 50, 50]'))
  const target = await upstream(t, completion('31.70'))
  const { app } = await makeApp(
    t,
    {},
    {
      ...env,
      CROPPER_BASE_URL: cropper.baseUrl,
      CROPPER_MODEL: 'pointer',
      TARGET_BASE_URL: target.baseUrl,
      TARGET_MODEL: 'vlm',
    },
  )
  const { headers } = await post(app, '/answer', { image: IMAGE, question }, CALLER)
  const spans = await traces.trace('4bf92f3577b34da6a3ce929d0e0e4736')
  isNested(t, spans)
  const [pointing, answering] = [spanNamed(spans, 'chat pointer'), spanNamed(spans, 'chat vlm')]
  t.match([pointing.attributes['cropvlm.role'], answering.attributes['cropvlm.role']], ['cropper', 'target'])
  t.ok(childrenOf(spans, serverSpan(spans)).includes(pointing))
  for (const [{ received }, { id }] of [
    [cropper, pointing],
    [target, answering],
  ] as const)
    t.match(received.at(-1)?.headers, {
      traceparent: `00-4bf92f3577b34da6a3ce929d0e0e4736-${id}-01`,
      tracestate: 'vendor=1',
      'x-request-id': headers['x-request-id'],
    })
})

t.test('without a collector the trace of the caller is passed on, and the id of the request', async t => {
  const cropper = await upstream(t, completion('[10, 10, 50, 50]'))
  const { post: send, upstream: target } = await proxied(t, { CROPPER_BASE_URL: cropper.baseUrl, CROPPER_MODEL: 'p' })
  const body = { image: IMAGE.toString('base64'), question }
  const named = { ...CALLER, 'x-request-id': 'seven' }
  await send('/answer', body, named)
  t.match(target.last().headers, named)
  t.match(cropper.received.at(-1)?.headers, named)
  const { headers } = await send('/answer', body)
  for (const received of [target.last().headers, cropper.received.at(-1)?.headers]) {
    t.equal(received?.['x-request-id'], headers.get('x-request-id'))
    t.notOk(received?.traceparent)
  }
  const chat = { messages: [ask(question)] }
  await send('/v1/chat/completions', chat, named)
  t.match(target.last().headers, named)
  const unnamed = await send('/v1/chat/completions', chat, { 'x-request-id': 'not safe to print' })
  t.equal(target.last().headers['x-request-id'], unnamed.headers.get('x-request-id'))
  t.not(target.last().headers['x-request-id'], 'not safe to print')
})

t.test('a client that goes away is no failure of the service', async t => {
  const { traces, env } = await traced(t)
  let leave = () => {}
  const locate: Script['locate'] = (job, call) => {
    leave()
    return hang(job, call)
  }
  const { port } = await listen(t, { locate }, env)
  const { payload, headers } = await form({ image: IMAGE, question })
  const socket = connect(port, '127.0.0.1')
  const head = [
    'POST /crop HTTP/1.1',
    'Host: x',
    `Content-Type: ${headers['content-type']}`,
    `Content-Length: ${payload.length}`,
    `traceparent: ${CALLER.traceparent}`,
  ]
  leave = () => socket.destroy()
  socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), payload]))
  const span = serverSpan(await traces.trace('4bf92f3577b34da6a3ce929d0e0e4736'))
  t.match(span, { failed: false, attributes: { 'error.type': 'request_aborted' } })
})

t.test('samplers, and OTEL_SDK_DISABLED', async t => {
  const target = await recorder(t)
  const own = { TARGET_BASE_URL: target.baseUrl, TARGET_MODEL: 'vlm' }
  const { traces, env } = await traced(t, own)
  const rows: [more: Env, headers: Env, traceparent: RegExp | undefined][] = [
    [{ OTEL_TRACES_SAMPLER: 'always_off' }, {}, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/],
    [{ OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, {}, /-00$/],
    [{}, { traceparent: CALLER.traceparent.replace(/01$/, '00') }, /^00-4bf92f3577b34da6a3ce929d0e0e4736-.*-00$/],
    [{ OTEL_SDK_DISABLED: 'true' }, {}, undefined],
  ]
  for (const [more, headers, traceparent] of rows) {
    const { app } = await makeApp(t, {}, { ...env, ...more })
    t.equal((await post(app, '/answer', { image: IMAGE, question }, headers)).status, 200)
    if (traceparent) t.match(target.last().headers.traceparent, traceparent)
    else t.notOk(target.last().headers.traceparent)
    await app.close()
  }
  t.same(traces.spans, [], 'nothing was sent')
  const { app } = await makeApp(t, {}, { ...env, OTEL_TRACES_SAMPLER: 'parentbased_always_off' })
  await post(app, '/answer', { image: IMAGE, question }, CALLER)
  await app.close()
  t.ok(traces.spans.length > 0, "the caller's word goes before")
})

t.test('what is left is sent when the app is closed, and a collector that hangs does not keep it', async t => {
  process.env.OTEL_BSP_SCHEDULE_DELAY = '60000'
  t.teardown(() => {
    process.env.OTEL_BSP_SCHEDULE_DELAY = '20'
  })
  const { traces, env } = await traced(t)
  const one = await makeApp(t, {}, env)
  await post(one.app, '/crop', { image: IMAGE, question })
  t.same(traces.sent, [])
  await one.app.close()
  t.match(serverSpan(traces.spans), { name: 'POST /crop', attributes: { 'error.type': undefined } })

  const other = await makeApp(t, {}, env)
  traces.answer(() => {})
  await post(other.app, '/crop', { image: IMAGE, question })
  await other.app.close()
  t.equal(traces.sent.length, 2)
})

t.test('a collector that refuses is told once, with the remedy, and again when it takes them', async t => {
  const { traces, env } = await traced(t)
  const { log, lines } = record()
  const { app } = await makeApp(t, {}, { ...env, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, { log })
  traces.answer(response => response.writeHead(401).end('key-of-the-collector is wrong'))
  const told = () => lines.filter(({ collector, level }) => collector !== undefined && level === 40)
  for (let i = 0; i < 5; i++) {
    const before = traces.sent.length
    t.equal((await post(app, '/crop', { image: IMAGE, question })).status, 200)
    while (traces.sent.length === before) await new Promise(resolve => setTimeout(resolve, 5))
  }
  while (told().length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  traces.answer(undefined)
  await post(app, '/crop', { image: IMAGE, question })
  while (!lines.some(({ msg }) => String(msg).includes('again'))) await new Promise(resolve => setTimeout(resolve, 5))
  t.match(told(), [
    { collector: traces.endpoint, reason: 'status 401', msg: /spans cannot be sent.*set OTEL_EXPORTER_OTLP_ENDPOINT/ },
  ])
  t.equal(told().length, 1)
  t.match(
    lines.find(({ msg }) => String(msg).includes('PROTOCOL')),
    { level: 40, msg: /"grpc".*http\/json/ },
  )
  t.notMatch(JSON.stringify(lines), 'key-of-the-collector')
})
