import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'

declare module 'fastify' {
  interface FastifyInstance {
    bodyBudget: BodyBudget
  }
}

/** How many bodies of the largest size may be in memory beyond those for which the engine's queue has room. */
const SPARE = 64

type Limits = Pick<Config, 'maxBodyBytes' | 'queueSize'>

/** Refuses a body by its headers, before a byte of it is read: if it is too large, compressed, or one too many. */
export function addBodyBudget(app: FastifyInstance, limits: Limits): void {
  const budget = new BodyBudget(limits)
  app.decorate('bodyBudget', budget)
  app.addHook('onRequest', (request, reply, done) => {
    checkHeaders(request, limits)
    budget.enter(request, reply)
    done()
  })
}

/** @throws CropVlmError body_too_large, unsupported_content_type */
function checkHeaders({ headers, routeOptions }: FastifyRequest, limits: Limits): void {
  const { maxBodyBytes: own } = routeOptions.config ?? {}
  const maxBodyBytes = own ?? limits.maxBodyBytes
  if (Number(headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
  if (own !== undefined) return
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw new CropVlmError(
      'unsupported_content_type',
      'Compressed bodies are not read; send it without Content-Encoding.',
    )
}

export function tooLarge(maxBytes: number): CropVlmError {
  return new CropVlmError('body_too_large', `The body is over ${maxBytes} bytes; send a smaller image.`)
}

/**
 * Limits the bytes of request bodies in memory. The engine's queue limits only requests that have arrived whole: without
 * this, a few hundred clients that each send 20 MiB except the last byte would take all memory.
 */
export class BodyBudget {
  readonly #maxBody: number
  readonly #max: number
  #held = 0

  constructor({ maxBodyBytes, queueSize }: Limits) {
    this.#maxBody = maxBodyBytes
    this.#max = (queueSize + SPARE) * maxBodyBytes
  }

  /**
   * Sets aside what the request says it will send, until it has been answered. Call before a byte of the body is read.
   * @throws CropVlmError queue_full
   */
  enter({ headers, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const most = routeOptions.config?.maxBodyBytes ?? this.#maxBody
    const size = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : most
    if (size > 0) this.holder(reply)(size)
  }

  /**
   * What sets memory aside for a request, so many bytes with each call, until it has been answered. It throws CropVlmError
   * queue_full where there is no more.
   */
  holder(reply: FastifyReply): (bytes: number) => void {
    let own = 0
    // 'close' is emitted even if the client has gone
    reply.raw.once('close', () => {
      this.#held -= own
    })
    return bytes => {
      if (this.#held + bytes > this.#max)
        throw new CropVlmError('queue_full', 'Too many large requests are being received; try again later.')
      this.#held += bytes
      own += bytes
    }
  }
}
