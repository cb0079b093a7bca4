/** The body of a request under `/v1`: whole, or as it comes. */
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import { tooLarge } from '../../plugins/body-budget.js'

/**
 * Reads a body whole.
 * @throws CropVlmError body_too_large, request_aborted
 */
export function readBody({ raw }: FastifyRequest, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > maxBytes) fail(tooLarge(maxBytes))
    }
    const stop = () => raw.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone)
    const onEnd = () => {
      stop()
      resolve(Buffer.concat(chunks))
    }
    const fail = (error: CropVlmError) => {
      stop()
      // the connection stays open: the client is to read why
      raw.pause()
      reject(error)
    }
    const onGone = (cause?: Error) => fail(new CropVlmError('request_aborted', 'The client went away.', { cause }))
    if (raw.destroyed && !raw.readableEnded) return onGone()
    raw.on('data', onData).once('end', onEnd).once('error', onGone).once('close', onGone)
  })
}

/**
 * A body as it comes; null where there is none. It ends with body_too_large where it has no length and is too long.
 * @param through What it passes through on its way.
 */
export function bodyStream(
  { raw, headers }: FastifyRequest,
  maxBytes: number,
  through: Transform[] = [],
): Readable | null {
  const isChunked = headers['transfer-encoding'] !== undefined
  if (!isChunked && Number(headers['content-length'] ?? 0) === 0) return null
  const steps = isChunked ? [new Limit(maxBytes), ...through] : through
  // who reads the last is told of an error by that
  return steps.reduce<Readable>((from, to) => pipeline(from, to, () => {}), raw)
}

class Limit extends Transform {
  #left: number

  constructor(private readonly maxBytes: number) {
    super()
    this.#left = maxBytes
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#left -= chunk.length
    if (this.#left < 0) done(tooLarge(this.maxBytes))
    else done(null, chunk)
  }
}
