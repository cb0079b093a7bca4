import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'

/** Whoever waits for a reply. */
export interface Caller {
  /** Aborted once nobody waits any more: the client has gone, or has been answered. */
  readonly signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  readonly deadline: number
}

const callers = new WeakMap<FastifyRequest, Caller>()

/** The caller of a request that `addCallers` has seen. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request)
  if (!caller) throw new Error('addCallers has not been called for this app')
  return caller
}

/**
 * The engine and the targets keep the deadline themselves and say best what it cut short; only what they cannot see, a
 * body that does not come in or an engine that does not answer, is left to this later one.
 */
const BACKSTOP_MS = 500

/**
 * Gives each request its caller. Fastify's own `request.signal` and `handlerTimeout` follow the request stream, which
 * closes when the body has been read: they would abort every form and then time nothing. The reply's stream closes when
 * the client goes or has been answered.
 */
export function addCallers(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', async (request: FastifyRequest, reply: FastifyReply) => {
    const controller = new AbortController()
    callers.set(request, { signal: controller.signal, deadline: Date.now() + timeoutMs })
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
 * A handler that may still be at work when the deadline has been told. What it comes to then is nobody's business:
 * Fastify would log a second reply, or an error without one, as a fault.
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
