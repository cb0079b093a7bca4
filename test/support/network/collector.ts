/** A collector on loopback that takes OTLP's JSON as its specification has it, and refuses anything else. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Static, Type } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import type { Test } from 'tap'

const AnyValue = Type.Union([
  Type.Object({ stringValue: Type.String() }, { additionalProperties: false }),
  Type.Object({ boolValue: Type.Boolean() }, { additionalProperties: false }),
  Type.Object({ intValue: Type.Integer() }, { additionalProperties: false }),
  Type.Object({ doubleValue: Type.Number() }, { additionalProperties: false }),
])
const Attributes = Type.Array(
  Type.Object({ key: Type.String({ minLength: 1 }), value: AnyValue }, { additionalProperties: false }),
)
const hex = (length: number) => Type.String({ pattern: `^(?!0+$)[0-9a-f]{${length}}$` })
const Nanos = Type.String({ pattern: '^[1-9][0-9]{18}$' })
/** `ExportTraceServiceRequest` of opentelemetry-proto, as far as the SDK writes it. */
const Body = Type.Object({
  resourceSpans: Type.Array(
    Type.Object({
      resource: Type.Object({ attributes: Attributes }),
      scopeSpans: Type.Array(
        Type.Object({
          scope: Type.Object({ name: Type.String(), version: Type.String() }),
          spans: Type.Array(
            Type.Object(
              {
                traceId: hex(32),
                spanId: hex(16),
                parentSpanId: Type.Optional(hex(16)),
                traceState: Type.Optional(Type.String()),
                name: Type.String({ minLength: 1 }),
                kind: Type.Integer({ minimum: 1, maximum: 5 }),
                startTimeUnixNano: Nanos,
                endTimeUnixNano: Nanos,
                attributes: Attributes,
                droppedAttributesCount: Type.Literal(0),
                events: Type.Array(Type.Never()),
                droppedEventsCount: Type.Literal(0),
                status: Type.Object(
                  { code: Type.Integer({ minimum: 0, maximum: 2 }) },
                  { additionalProperties: false },
                ),
                links: Type.Array(Type.Never()),
                droppedLinksCount: Type.Literal(0),
                flags: Type.Integer(),
              },
              { additionalProperties: false },
            ),
          ),
        }),
      ),
    }),
  ),
})
const check = new Ajv({ strict: false }).compile<Static<typeof Body>>(Body)

export interface CollectedSpan {
  traceId: string
  id: string
  parent: string | undefined
  name: string
  kind: 'internal' | 'server' | 'client'
  /** Unix milliseconds. */
  start: number
  end: number
  attributes: Record<string, string | number | boolean>
  failed: boolean
  traceState: string | undefined
  resource: Record<string, string | number | boolean>
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  endpoint: string
  /** All spans so far. */
  spans: CollectedSpan[]
  /** All that was sent, as text: bodies and headers. */
  sent: { path: string; headers: IncomingHttpHeaders; body: string }[]
  /** The spans of a trace once its server span has come, which ends last. */
  trace: (traceId: string) => Promise<CollectedSpan[]>
  /** What is answered from now on in place of 200; undefined: 200 again. */
  answer: (reply: ((response: ServerResponse) => void) | undefined) => void
}

const KINDS = { 1: 'internal', 2: 'server', 3: 'client' } as const

type Written = readonly { key: string; value: Record<string, string | number | boolean> }[]

function read(attributes: Written): CollectedSpan['attributes'] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as string]))
}

export async function collector(t: Test): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const sent: Collector['sent'] = []
  let answer: ((response: ServerResponse) => void) | undefined
  const arrived: (() => void)[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    sent.push({ path: request.url ?? '', headers: request.headers, body })
    if (answer) return answer(response)
    const batch: unknown = JSON.parse(body)
    if (request.headers['content-type'] !== 'application/json' || !check(batch)) {
      const problem = JSON.stringify(check.errors?.slice(0, 3))
      t.fail(`no OTLP: ${problem}`)
      return response.writeHead(400).end(problem)
    }
    for (const { resource, scopeSpans } of batch.resourceSpans)
      for (const span of scopeSpans.flatMap(scope => scope.spans))
        spans.push({
          traceId: span.traceId,
          id: span.spanId,
          parent: span.parentSpanId,
          name: span.name,
          kind: KINDS[span.kind as 1],
          start: Number(span.startTimeUnixNano) / 1e6,
          end: Number(span.endTimeUnixNano) / 1e6,
          attributes: read(span.attributes as Written),
          failed: span.status.code === 2,
          traceState: span.traceState,
          resource: read(resource.attributes as Written),
        })
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    for (const tell of arrived.splice(0)) tell()
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    sent,
    async trace(traceId) {
      const own = () => spans.filter(span => span.traceId === traceId)
      while (!own().some(({ kind }) => kind === 'server')) await new Promise<void>(resolve => arrived.push(resolve))
      return own()
    },
    answer: reply => {
      answer = reply
    },
  }
}
