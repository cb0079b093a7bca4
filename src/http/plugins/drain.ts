import type { FastifyInstance, FastifyReply } from 'fastify'
import { draining } from '../../errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Refuses new work (503, `draining`) and resolves once every request in flight has been answered. Health, metrics
     * and information go on answering. The engine must not be drained before this has resolved: an `/answer` in flight
     * may still have a job for it.
     */
    drain(): Promise<void>
  }
}

/** Gives the app its `drain`; routes whose config says `work` are counted and, once draining has begun, refused. */
export function addDrain(app: FastifyInstance, drain: Drain): void {
  app.decorate('drain', () => drain.wait())
  app.addHook('onRequest', ({ routeOptions }, reply, done) => {
    if (routeOptions.config?.work) drain.enter(reply)
    done()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (drain.draining) reply.header('connection', 'close')
  })
  app.addHook('preClose', async () => {
    // an app that is closed without being drained first also refuses what comes in on open connections
    void drain.wait()
  })
}

/** Counts the requests that are work, and refuses them once draining has begun. */
export class Drain {
  #inFlight = 0
  #draining = false
  readonly #waiting: (() => void)[] = []

  get draining(): boolean {
    return this.#draining
  }

  /** @throws CropVlmError draining */
  enter(reply: FastifyReply): void {
    if (this.#draining) throw draining()
    this.#inFlight += 1
    let inside = true
    const leave = () => {
      if (inside) this.#inFlight -= 1
      inside = false
      this.#settle()
    }
    // whichever comes first: the reply is out, or the client has gone
    reply.raw.once('finish', leave)
    reply.raw.once('close', leave)
  }

  async wait(): Promise<void> {
    this.#draining = true
    await new Promise<void>(resolve => {
      this.#waiting.push(resolve)
      this.#settle()
    })
  }

  #settle(): void {
    if (this.#draining && this.#inFlight === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
