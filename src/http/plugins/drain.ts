import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError, draining } from '../../errors.js'
import { answerSocket } from './connection/client-error.js'
import { Connections } from './connection/connections.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Refuses new work (503, `draining`), closes idle connections, and resolves once every request that had begun to arrive
     * has been answered. Health, metrics and information go on answering. The engine must not be drained before this has
     * resolved: an `/answer` in flight may still have a job for it.
     */
    drain(): Promise<void>
    /**
     * Ends what is still in flight: it gets 503 (`draining`), and a reply that has begun is cut off. For when `drain` has
     * taken too long; it resolves then.
     * @returns how many requests that were
     */
    cut(): Promise<number>
    /** Whether the connection of a request is to be closed after the reply to it. */
    closesAfter(request: FastifyRequest): boolean
  }
}

/** Tells the app's `drain` of each request. Call before the hooks that may answer one. */
export function countRequests(app: FastifyInstance): Drain {
  const drain = new Drain(new Connections(app.server))
  app.addHook('onRequest', (request, reply, done) => {
    drain.enter(request, reply)
    done()
  })
  return drain
}

/** Gives the app its `drain`; what comes too late for routes whose config says `work` is refused. */
export function addDrain(app: FastifyInstance, drain: Drain): void {
  app.decorate('drain', () => drain.wait())
  app.decorate('cut', () => drain.cut())
  app.decorate('closesAfter', (request: FastifyRequest) => drain.closesAfter(request))
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config?.work && drain.isLate(request)) throw draining()
    done()
  })
  app.addHook('onSend', async (request, reply) => {
    if (drain.closesAfter(request)) reply.header('connection', 'close')
  })
  app.addHook('preClose', async () => {
    // an app that is closed without being drained first also refuses what comes in on open connections
    void drain.wait()
  })
}

/** Counts the requests that have been accepted, and tells those that come once draining has begun. */
export class Drain {
  readonly #connections: Connections
  /** Requests that have been accepted and not been answered. */
  readonly #inFlight = new Set<FastifyReply>()
  /** Connections on which a request had begun to arrive when draining began, and has not come yet. */
  readonly #arriving = new Set<Socket>()
  readonly #late = new WeakSet<FastifyRequest>()
  /** Whether what had arrived when draining began has been read, so that what comes now is late. */
  #settled = false
  #settling: Promise<void> | undefined
  #drained: Promise<void> | undefined
  #resolve: () => void = () => {}

  constructor(connections: Connections) {
    this.#connections = connections
  }

  get draining(): boolean {
    return this.#drained !== undefined
  }

  enter(request: FastifyRequest, reply: FastifyReply): void {
    const { raw } = request
    const isLate = this.#settled && !this.#arriving.delete(raw.socket)
    this.#connections.enter(raw)
    if (isLate) this.#late.add(request)
    else this.#inFlight.add(reply)
    let inside = true
    const leave = () => {
      if (!inside) return
      inside = false
      this.#connections.leave(raw)
      this.#inFlight.delete(reply)
      this.#check()
      // once Node is done with the reply
      if (this.#settled) setImmediate(() => this.#connections.closeIfIdle(raw.socket))
    }
    // whichever comes first: the reply is out, or the client has gone
    reply.raw.once('finish', leave)
    reply.raw.once('close', leave)
  }

  isLate(request: FastifyRequest): boolean {
    return this.#late.has(request)
  }

  closesAfter(request: FastifyRequest): boolean {
    // what comes after a late one is late as well
    return this.#settled && (this.#late.has(request) || this.#connections.isLast(request.raw.socket))
  }

  wait(): Promise<void> {
    this.#drained ??= this.#wait()
    return this.#drained
  }

  async cut(): Promise<number> {
    await this.#settling
    const count = this.#inFlight.size + this.#arriving.size
    const error = new CropVlmError(
      'draining',
      'This instance is shutting down, and its grace time (SHUTDOWN_GRACE_MS) ended before this request was answered; send it to another one.',
    )
    for (const reply of this.#inFlight) {
      if (reply.sent || reply.raw.headersSent) reply.raw.destroy()
      else reply.send(error)
    }
    for (const socket of this.#arriving) answerSocket(socket, '503 Service Unavailable', error)
    return count
  }

  async #wait(): Promise<void> {
    this.#settling = this.#settle()
    await this.#settling
    await new Promise<void>(resolve => {
      this.#resolve = resolve
      this.#check()
    })
  }

  async #settle(): Promise<void> {
    await this.#connections.settle()
    this.#settled = true
    for (const socket of this.#connections.arriving()) {
      this.#arriving.add(socket)
      socket.once('close', () => {
        this.#arriving.delete(socket)
        this.#check()
      })
    }
    this.#connections.closeIdle()
  }

  #check(): void {
    if (this.#settled && this.#inFlight.size + this.#arriving.size === 0) this.#resolve()
  }
}
