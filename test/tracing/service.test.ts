/** The whole service in a process of its own, its engine, a target and a collector. */
import t from 'tap'
import { compiledService } from '../support/compiled.js'
import { CHAT_REPLY, recorder } from '../support/fakes/recorder.js'
import { collector } from '../support/network/collector.js'
import { childrenOf, isNested, serverSpan, spanNamed } from '../support/network/spans.js'
import { noise } from '../support/scripted.js'
import { startServer } from '../support/server.js'

t.setTimeout(240_000)

const QUESTION = 'Where does Rumpelstiltskin live?'
const KEYS = { ours: 'key-of-the-service', target: 'key-of-the-target', collector: 'key-of-the-collector' }
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const CALLER = '00f067aa0ba902b7'
const image = Buffer.from(await noise(600, 400))
const service = compiledService()

const traces = await collector(t)
const target = await recorder(t, (response, { body }) => {
  const request = JSON.parse(body.toString()) as { stream?: boolean; model: string }
  if (body.includes('break down')) return response.writeHead(500).end('{}')
  if (!request.stream) return response.writeHead(200, { 'content-type': 'application/json' }).end(CHAT_REPLY)
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[]}\n\n')
  // the rest follows once the collector has had time to get what has ended by then
  setTimeout(() => response.end('data: {"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\ndata: [DONE]\n\n'), 300)
})
const server = startServer(t, service, {
  API_KEY: KEYS.ours,
  TARGET_BASE_URL: target.baseUrl,
  TARGET_MODEL: 'vlm',
  TARGET_API_KEY: KEYS.target,
  ZOOM: 'always',
  OTEL_EXPORTER_OTLP_ENDPOINT: traces.endpoint,
  OTEL_EXPORTER_OTLP_HEADERS: `x-key=${KEYS.collector}`,
  OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%20test',
  OTEL_BSP_SCHEDULE_DELAY: '20',
})
const url = String((await server.line('ready; try')).url)

function send(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEYS.ours}`, ...headers },
  })
}

const answer = (question: string, headers: Record<string, string> = {}) =>
  send('/answer', { image: image.toString('base64'), question }, headers)

const chat = (text: string, more: object = {}) => ({
  model: 'vlm',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${image.toString('base64')}` } },
        { type: 'text', text },
      ],
    },
  ],
  ...more,
})

/** The trace of a reply: the log line of its request names it. */
async function traceOf(response: Response) {
  await response.text()
  const id = response.headers.get('x-request-id')
  const line = await server.line(`"reqId":"${id}"`)
  return { line, spans: await traces.trace(String(line.trace_id)) }
}

t.test("a caller's trace goes on through the engine's stages to the target", async t => {
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'vendor=1', 'x-request-id': 'seven' }
  const response = await answer(QUESTION, headers)
  t.equal(response.status, 200)
  const { line, spans } = await traceOf(response)
  const root = serverSpan(spans)
  t.match(root, {
    name: 'POST /answer',
    traceId: TRACE,
    parent: CALLER,
    traceState: 'vendor=1',
    failed: false,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/answer',
      'http.response.status_code': 200,
      'url.path': '/answer',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'client.address': '127.0.0.1',
      'cropvlm.request.id': 'seven',
    },
    resource: {
      'service.name': 'cropvlm',
      'service.version': /^\d/,
      'deployment.environment.name': 'a test',
      'telemetry.sdk.language': 'nodejs',
    },
  })
  t.match(line, { trace_id: TRACE, span_id: root.id, msg: 'request' })
  isNested(t, spans)
  t.same(
    childrenOf(spans, root).map(({ name, kind }) => [name, kind]),
    [
      ['engine locate', 'internal'],
      ['engine render', 'internal'],
      ['chat vlm', 'client'],
    ],
  )
  const stages = childrenOf(spans, spanNamed(spans, 'engine locate'))
  t.same(
    [...new Set(stages.map(({ name }) => name))],
    ['queue', 'decode', 'preprocess', 'vision', 'prefill', 'generate'],
  )
  for (const [i, { name, start }] of stages.entries())
    t.ok(i === 0 || start >= (stages[i - 1]?.end ?? 0) - 0.01, `${name} follows what comes before it`)
  t.same([...new Set(childrenOf(spans, spanNamed(spans, 'engine render')).map(({ name }) => name))].sort(), [
    'crop',
    'decode',
    'queue',
  ])
  const call = spanNamed(spans, 'chat vlm')
  t.match(call.attributes, {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'vlm',
    'gen_ai.usage.input_tokens': 700,
    'gen_ai.usage.output_tokens': 4,
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(target.baseUrl).port),
    'cropvlm.role': 'target',
  })
  t.match(target.last().headers, {
    traceparent: `00-${TRACE}-${call.id}-01`,
    tracestate: 'vendor=1',
    'x-request-id': 'seven',
  })
})

t.test('a request without a trace begins one', async t => {
  const { spans, line } = await traceOf(await answer('What is this?'))
  t.match(serverSpan(spans), { parent: undefined, traceId: line.trace_id })
  t.notMatch(line.trace_id, TRACE)
})

t.test('under /v1 the zoom is a span, and a stream ends the spans of the call and of the request', async t => {
  const response = await send('/v1/chat/completions', chat(QUESTION, { stream: true }), {
    traceparent: `00-${TRACE.replace('4', '5')}-${CALLER}-01`,
  })
  const { spans } = await traceOf(response)
  isNested(t, spans)
  const root = serverSpan(spans)
  t.same(
    childrenOf(spans, root).map(({ name }) => name),
    ['zoom', 'chat vlm'],
  )
  const zoom = spanNamed(spans, 'zoom')
  t.match(zoom.attributes, { 'cropvlm.zoom.decision': 'fallback', 'cropvlm.zoom.reason': 'not_a_cropper' })
  t.same(
    childrenOf(spans, zoom).map(({ name }) => name),
    ['engine locate'],
  )
  const call = spanNamed(spans, 'chat vlm')
  t.match(call.attributes, {
    'http.response.status_code': 200,
    'gen_ai.usage.input_tokens': 7,
    'gen_ai.usage.output_tokens': 2,
    'cropvlm.target': 'default',
  })
  // the target takes 300 ms for the whole stream
  t.ok(call.end - call.start > 250, 'the call ends with the stream')
  t.ok(root.end >= call.end - 0.01)
  t.match(target.last().headers.traceparent, new RegExp(`^00-${call.traceId}-${call.id}-01$`))
})

t.test('what fails is an error, with its code and nothing of its words', async t => {
  const failed = await answer('Does it break down?')
  t.equal(failed.status, 502)
  const { spans } = await traceOf(failed)
  isNested(t, spans)
  const error = { failed: true, attributes: { 'error.type': 'target_failed' } }
  t.match(serverSpan(spans), { ...error, attributes: { ...error.attributes, 'http.response.status_code': 502 } })
  t.match(spanNamed(spans, 'chat vlm'), {
    ...error,
    attributes: { ...error.attributes, 'http.response.status_code': 500 },
  })
  t.match(spanNamed(spans, 'engine locate'), { failed: false })

  const relayed = await traceOf(await send('/v1/chat/completions', chat('Does it break down?')))
  t.match(serverSpan(relayed.spans), { failed: true, attributes: { 'error.type': '500' } })
  t.match(spanNamed(relayed.spans, 'chat vlm'), { failed: true, attributes: { 'error.type': '500' } })

  const broken = await send('/crop', {
    image: Buffer.concat([image.subarray(0, 60), Buffer.alloc(99)]).toString('base64'),
    question: 'q',
  })
  t.equal(broken.status, 422)
  const refused = await traceOf(broken)
  t.match(serverSpan(refused.spans), {
    failed: false,
    attributes: { 'http.response.status_code': 422, 'cropvlm.error.code': 'image_undecodable' },
  })
  t.match(spanNamed(refused.spans, 'engine locate'), {
    failed: true,
    attributes: { 'error.type': 'image_undecodable' },
  })
})

t.test('a query stays out, and so do probes', async t => {
  await (await fetch(`${url}/health/ready`)).text()
  const { spans } = await traceOf(await send(`/crop?question=${encodeURIComponent(QUESTION)}`, {}))
  t.match(serverSpan(spans).attributes, { 'url.path': '/crop', 'http.response.status_code': 400 })
  t.notOk(traces.spans.some(({ name }) => name.includes('health')))
})

t.test('no picture, question, answer or key was sent to the collector; the last spans come before the end', async t => {
  const last = await answer(QUESTION)
  const id = last.headers.get('x-request-id')
  await last.text()
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
  t.ok(traces.spans.some(({ attributes }) => attributes['cropvlm.request.id'] === id))
  t.strictSame(
    [...new Set(traces.sent.map(({ path, headers }) => `${path} ${headers['x-key']}`))],
    [`/v1/traces ${KEYS.collector}`],
  )
  const sent = traces.sent.map(({ body }) => body).join('\n')
  for (const secret of ['Rumpelstiltskin', '31.70', image.toString('base64').slice(0, 40), ...Object.values(KEYS)])
    t.notOk(sent.includes(secret), secret)
  t.notOk(server.lines.some(line => JSON.stringify(line).includes(KEYS.collector)))
})
