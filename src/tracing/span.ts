/** Spans as the rest of the code sees them, which knows nothing of OpenTelemetry. */

/** What a span says. Never a picture, a question, an answer or a key. undefined says nothing. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface SpanOptions {
  /** `client`: a call to another service. Default: `internal`. */
  kind?: 'internal' | 'client'
  attributes?: Attributes
  /** When it began, on `performance.now()`'s clock. Default: now. */
  start?: number
}

/** A piece of work of one request, from its start to its end. */
export interface Span {
  /** What log lines carry; null where nothing is recorded. */
  readonly ids: { readonly trace_id: string; readonly span_id: string } | null
  /**
   * What a call to another service that is made within this span carries: `x-request-id`, `traceparent`, `tracestate`.
   * Where nothing is recorded the last two are the caller's own, if it sent any.
   */
  readonly headers: Readonly<Record<string, string>>
  /** Begins a span within this one. */
  child(name: string, options?: SpanOptions): Span
  set(attributes: Attributes): void
  /**
   * The work has failed: `error.type` is the error's code, and the status is ERROR unless the caller went away. Of the
   * error's text nothing is told: an endpoint's words may be in it. Where it fails twice the first failure counts.
   */
  fail(error: unknown): void
  /** A reply with this HTTP status was given or got. It is a failure from 400 on for a client, from 500 on for a server. */
  answered(status: number): void
  /** @param at On `performance.now()`'s clock. Default: now. */
  end(at?: number): void
}

/** Stands for all spans of a request of which nothing is recorded. */
class PassingSpan implements Span {
  readonly ids = null

  constructor(readonly headers: Readonly<Record<string, string>>) {}

  child(): Span {
    return this
  }

  set(): void {}
  fail(): void {}
  answered(): void {}
  end(): void {}
}

/** Of work that belongs to no request. */
export const NO_SPAN: Span = new PassingSpan({})

/** Headers of a request as Node gives them. */
export type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Of a request that is not traced: calls carry its id, and the trace that its caller is in. */
export function passingSpan(requestId: string, { traceparent, tracestate }: IncomingHeaders): Span {
  return new PassingSpan({
    'x-request-id': requestId,
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof tracestate === 'string' ? { tracestate } : {}),
  })
}

/** Does `work` within a child of `parent` that ends with it; what it throws is told and thrown on. */
export async function within<T>(
  parent: Span | undefined,
  name: string,
  options: SpanOptions,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = (parent ?? NO_SPAN).child(name, options)
  try {
    return await work(span)
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    span.end()
  }
}
