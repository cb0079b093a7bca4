import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Patience } from '../../engine/engine.js'
import { CropVlmError } from '../../errors.js'
import { spanOf } from './tracing.js'

const deadlines = new WeakMap<FastifyRequest, Patience>()

/** The deadline of a request of an app on which `addDeadlines` was called, and the span that it is answered in. */
export function deadlineOf(request: FastifyRequest): Patience {
  const deadline = deadlines.get(request)
  if (!deadline) throw new Error('addDeadlines has not been called for this app')
  return deadline
}

/**
 * How much later than the deadline this plugin answers by itself, in milliseconds. The engine and the targets watch the
 * deadline too, and their errors say better what it cut short. What they cannot see is left to this: a body that does not
 * arrive, or an engine that does not answer.
 */
const BACKSTOP_MS = 500

/**
 * Gives each request its deadline. Fastify's own `request.signal` and `handlerTimeout` (5.12) follow the request's
 * stream, which closes as soon as the body has been read: they would abort every form. This follows the reply's stream,
 * which closes when the client has been answered or has gone.
 */
export function addDeadlines(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const controller = new AbortController()
    const abort = () =>
      controller.abort(new CropVlmError('request_aborted', 'The client went away, or has been answered.'))
    const span = spanOf(request)
    deadlines.set(request, { signal: controller.signal, deadline: Date.now() + timeoutMs, span })
    if (request.routeOptions.config?.stream) {
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) abort()
      })
      return done()
    }
    const timer = setTimeout(() => {
      if (!reply.sent) reply.send(new CropVlmError('deadline_exceeded', TOO_LATE))
    }, timeoutMs + BACKSTOP_MS)
    reply.raw.once('finish', () => clearTimeout(timer))
    reply.raw.once('close', () => {
      clearTimeout(timer)
      abort()
    })
    done()
  })
}

/**
 * Wraps a handler that may still be at work when its deadline has passed and the client has been told so. Whatever it
 * gives or throws after that is dropped: Fastify would log it as a second reply, or as an error without a reply.
 */
export function untilAnswered<T, R>(
  handler: (request: R, reply: FastifyReply) => Promise<T>,
): (request: R, reply: FastifyReply) => Promise<T | undefined> {
  return async (request, reply) => {
    try {
      const result = await handler(request, reply)
      return reply.sent ? undefined : result
    } catch (error) {
      if (reply.sent) return undefined
      throw error
    }
  }
}

const TOO_LATE = "The request's deadline passed before it was read and answered; send less, or try again later."
