import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'
import { type Tracing, UNTRACED } from '../../tracing/request.js'
import { NO_SPAN, type Span } from '../../tracing/span.js'

const spans = new WeakMap<FastifyRequest, Span>()

/** The span in which a request is answered; one that records nothing where it is not traced. */
export function spanOf(request: FastifyRequest): Span {
  return spans.get(request) ?? NO_SPAN
}

/**
 * Gives each request its span, which ends when the reply is out, a stream with its last byte, or when the client has gone.
 * Of routes whose config says `probe` nothing is recorded. The log lines of a traced request carry `trace_id` and
 * `span_id`.
 */
export function addTracing(app: FastifyInstance, tracing: Tracing): void {
  app.addHook('onRequest', async (request, reply) => {
    const { id, headers, method, raw, routeOptions } = request
    const { begin } = routeOptions.config?.probe ? UNTRACED : tracing
    const span = begin({
      id,
      headers,
      method,
      route: routeOptions.url,
      path: request.url.split('?', 1)[0] ?? '',
      whence: () => ({ scheme: request.protocol, host: request.host, client: request.ip }),
      httpVersion: raw.httpVersion,
    })
    spans.set(request, span)
    if (!span.ids) return
    request.log = request.log.child(span.ids)
    reply.log = request.log
    let isOpen = true
    const end = (isOut: boolean) => {
      if (!isOpen) return
      isOpen = false
      const { statusCode, headersSent } = reply.raw
      const endedAt = performance.now()
      const conclude = () => {
        if (headersSent) span.answered(statusCode)
        if (!isOut) span.fail(new CropVlmError('request_aborted', 'The client went away.'))
        span.end(endedAt)
      }
      // why a reply was cut off is told a moment later
      if (isOut) conclude()
      else setImmediate(conclude)
    }
    reply.raw.once('finish', () => end(true))
    reply.raw.once('close', () => end(false))
  })
  app.addHook('onClose', () => tracing.close())
}
