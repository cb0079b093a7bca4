import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'

/** How long somebody waits for a reply. */
export interface RequestDeadline {
  /** Aborted once nobody waits any more: the client has gone, or has been answered. */
  readonly signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  readonly deadline: number
}

const deadlines = new WeakMap<FastifyRequest, RequestDeadline>()

/** The deadline of a request of an app on which `addDeadlines` was called. */
export function deadlineOf(request: FastifyRequest): RequestDeadline {
  const deadline = deadlines.get(request)
  if (!deadline) throw new Error('addDeadlines has not been called for this app')
  return deadline
}

/**
 * The engine and the targets keep the deadline themselves and say best what it cut short; only what they cannot see, a
 * body that does not come in or an engine that does not answer, is left to this later one.
 */
const BACKSTOP_MS = 500

/**
 * Gives each request its deadline. Fastify's own `request.signal` and `handlerTimeout` follow the request stream, which
 * closes when the body has been read: they would abort every form and then time nothing. The reply's stream closes when
 * the client goes or has been answered.
 */
export function addDeadlines(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const controller = new AbortController()
    deadlines.set(request, { signal: controller.signal, deadline: Date.now() + timeoutMs })
    const timer = setTimeout(() => {
      if (!reply.sent) reply.send(new CropVlmError('deadline_exceeded', TOO_LATE))
    }, timeoutMs + BACKSTOP_MS)
    reply.raw.once('finish', () => clearTimeout(timer))
    reply.raw.once('close', () => {
      clearTimeout(timer)
      controller.abort(new CropVlmError('request_aborted', 'The client went away, or has been answered.'))
    })
  })
}

/**
 * Wraps a handler that may still be at work when its deadline has passed and the client has been told so. Whatever it
 * gives or throws after that is dropped: Fastify would log it as a second reply, or as an error without a reply.
 */
export function untilAnswered<T>(
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<T>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<T | undefined> {
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
