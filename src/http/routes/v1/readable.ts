/** The JSON of a body that is read whole, whatever coding it came in. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import { decode } from '../../../proxy/decode.js'
import { tooLarge } from '../../plugins/body-budget.js'

/** What stands in the header; null: the bytes are the text itself. */
export function encodingOf({ headers }: FastifyRequest): string | null {
  const encoding = headers['content-encoding']?.trim()
  return encoding === undefined || encoding === '' || encoding === 'identity' ? null : encoding
}

export interface Readable {
  /** null where the bytes are in a coding that is not read here, or not in the one that they are said to be in. */
  json: Buffer | null
  /** body_too_large: unpacked it is over the limit; queue_full: there is no room for it. */
  error: CropVlmError | null
}

/** @param body The bytes that came. */
export async function readableBody(
  request: FastifyRequest,
  reply: FastifyReply,
  body: Buffer,
  maxBytes: number,
): Promise<Readable> {
  const encoding = encodingOf(request)
  if (encoding === null) return { json: body, error: null }
  const setAside = request.server.bodyBudget.holder(reply)
  let size = 0
  const hold = (bytes: number) => {
    size += bytes
    if (size > maxBytes) throw tooLarge(maxBytes)
    setAside(bytes)
  }
  try {
    return { json: await decode(body, encoding, hold), error: null }
  } catch (error) {
    return { json: null, error: CropVlmError.from(error) }
  }
}

export function unreadable(): CropVlmError {
  return new CropVlmError(
    'unsupported_content_type',
    'This body is in a coding that is not read here; send it without Content-Encoding, or as gzip, deflate or br.',
  )
}
