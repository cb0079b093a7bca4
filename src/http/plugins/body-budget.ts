import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'

/** Of the largest bodies, beside those that the engine's queue has room for. */
const SPARE = 64

/**
 * Bytes of request bodies that may be in memory at once. The engine's queue bounds only what has come in whole: without
 * this, some hundred clients that each send 20 MiB but for the last byte would take all the memory there is.
 */
export class BodyBudget {
  readonly #largest: number
  readonly #most: number
  #held = 0

  constructor({ maxBodyBytes, queueSize }: Pick<Config, 'maxBodyBytes' | 'queueSize'>) {
    this.#largest = maxBodyBytes
    this.#most = (queueSize + SPARE) * maxBodyBytes
  }

  /**
   * Sets aside what the request says it will send, until it has been answered. Call before a byte of the body is read.
   * @throws CropVlmError `queue_full`
   */
  enter({ headers }: FastifyRequest, reply: FastifyReply): void {
    const size = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : this.#largest
    if (this.#held + size > this.#most)
      throw new CropVlmError('queue_full', 'Too many large requests are being received; try again later.')
    this.#held += size
    // always comes, also where the client has gone
    reply.raw.once('close', () => {
      this.#held -= size
    })
  }
}
