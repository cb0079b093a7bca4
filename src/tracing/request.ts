import { type IncomingHeaders, passingSpan, type Span } from './span.js'

/** A request, as its span tells it. */
export interface Incoming {
  /** As `x-request-id` says it. */
  id: string
  headers: IncomingHeaders
  method: string
  /** The route's pattern; undefined where no route is meant. */
  route: string | undefined
  /** Without its query, in which a question may stand. */
  path: string
  /** Whence it came; asked for where it is told. */
  whence(): { scheme: string; host: string; client: string }
  httpVersion: string
}

export interface Tracing {
  /** Begins the span of a request, in the trace that its headers name. */
  begin(incoming: Incoming): Span
  /** Sends the spans that are left, as far as that takes no longer than a moment. */
  close(): Promise<void>
}

/** Nothing is recorded. */
export const UNTRACED: Tracing = {
  begin: ({ id, headers }) => passingSpan(id, headers),
  close: async () => {},
}
