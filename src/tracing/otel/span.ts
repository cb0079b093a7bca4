import { type Context, type Span as OtelSpan, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { ATTR_ERROR_TYPE, ATTR_HTTP_RESPONSE_STATUS_CODE } from '@opentelemetry/semantic-conventions'
import { CropVlmError } from '../../errors.js'
import type { Attributes, Span, SpanOptions } from '../span.js'

export const KINDS = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT, server: SpanKind.SERVER }
type Kind = keyof typeof KINDS

/** What all spans of one request share. */
interface Shared {
  tracer: Tracer
  /** Writes `traceparent` and `tracestate` for calls within a context. */
  inject: (context: Context, headers: Record<string, string>) => void
  requestId: string
  /** Unix milliseconds at 0 of `performance.now()`. One for a request, so that its spans lie within each other exactly. */
  origin: number
}

/** A span that OpenTelemetry records. */
export class RecordedSpan implements Span {
  readonly ids: Span['ids']
  readonly #span: OtelSpan
  readonly #context: Context
  readonly #shared: Shared
  #headers: Record<string, string> | undefined
  readonly #kind: Kind
  #hasFailed = false

  /** @param parent The context in which `span` began. */
  constructor(span: OtelSpan, kind: Kind, parent: Context, shared: Shared) {
    this.#span = span
    this.#kind = kind
    this.#context = trace.setSpan(parent, span)
    this.#shared = shared
    const { traceId, spanId } = span.spanContext()
    this.ids = { trace_id: traceId, span_id: spanId }
  }

  get headers(): Readonly<Record<string, string>> {
    if (this.#headers) return this.#headers
    this.#headers = { 'x-request-id': this.#shared.requestId }
    this.#shared.inject(this.#context, this.#headers)
    return this.#headers
  }

  child(name: string, { kind = 'internal', attributes = {}, start = performance.now() }: SpanOptions = {}): Span {
    const { tracer, origin } = this.#shared
    const options = { kind: KINDS[kind], attributes: attributes, startTime: origin + start }
    return new RecordedSpan(tracer.startSpan(name, options, this.#context), kind, this.#context, this.#shared)
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(attributes)
  }

  fail(error: unknown): void {
    const { code } = CropVlmError.from(error)
    this.#fail(code, code !== 'request_aborted')
  }

  answered(status: number): void {
    this.#span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status)
    if (status >= (this.#kind === 'server' ? 500 : 400)) this.#fail(String(status), true)
  }

  #fail(type: string, isError: boolean): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.#span.setAttribute(ATTR_ERROR_TYPE, type)
    if (isError) this.#span.setStatus({ code: SpanStatusCode.ERROR })
  }

  end(at = performance.now()): void {
    this.#span.end(this.#shared.origin + at)
  }
}
