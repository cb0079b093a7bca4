/** Whether a reply is one of those that a request may have. */
import type { ErrorCode } from '../../../src/errors.js'
import { REPLIES } from '../../../src/http/plugins/errors.js'
import type { Reply } from './send.js'

export interface Expectation {
  /** Statuses that are right while nothing is broken. */
  statuses: readonly number[]
  /**
   * Whether it needs the engine: that may be killed, and where it has more to do than the deadlines allow, on a machine that
   * others use too, a request is refused with 429 before its body is read.
   */
  engine?: boolean
  /** Whether a target's own reply comes through: any error of it may have any shape, and the reply may break off. */
  forwarded?: boolean
  /** Whether the client goes away by itself, so that there may be no reply, or half of one. */
  leaves?: boolean
}

/** What was done to the service while the request was on its way. */
export interface Disturbed {
  /** The engine was killed, or had not come back. */
  killed: boolean
  /** More requests were sent at once than its queue holds. */
  crowded: boolean
}

const KILLED = [503, 504]
const CROWDED = [504]
const BUSY = [429]

/**
 * Judges a reply.
 * @returns what is wrong with it; null where nothing is
 */
export function wrongReply(
  reply: Reply,
  { statuses, engine = false, forwarded = false, leaves = false }: Expectation,
  { killed, crowded }: Disturbed,
): string | null {
  const { status, isCut } = reply
  if (status === 0) return leaves ? null : 'no reply'
  const more = engine ? [...BUSY, ...(killed ? KILLED : []), ...(crowded ? CROWDED : [])] : []
  const allowed = [...new Set([...statuses, ...more])]
  if (!allowed.includes(status)) return `status ${status}, not ${allowed.join('/')}: ${beginning(reply)}`
  if (isCut) return leaves || forwarded ? null : `status ${status}, and the reply broke off`
  return status < 400 || forwarded ? null : wrongEnvelope(reply)
}

/** What is wrong with an error's envelope. */
function wrongEnvelope(reply: Reply): string | null {
  const { error, request_id } = (jsonOf(reply) ?? {}) as { error?: Record<string, unknown>; request_id?: unknown }
  const { code, message, type, source } = error ?? {}
  const row = REPLIES[code as ErrorCode]
  if (!row || typeof message !== 'string' || message === '') return `no envelope of an error: ${beginning(reply)}`
  const isOfRow = row.type === type && (row.status === reply.status || code === 'invalid_body')
  if (!isOfRow || source === undefined) return `${reply.status} has the wrong envelope: ${beginning(reply)}`
  if (request_id !== reply.headers['x-request-id']) return `the reply's id is not its header's: ${beginning(reply)}`
  if ([429, 503].includes(reply.status) && !(Number(reply.headers['retry-after']) >= 0))
    return `${reply.status} without Retry-After: ${beginning(reply)}`
  return null
}

/** The body as JSON; null where it is none. */
export function jsonOf({ body }: Reply): Record<string, unknown> | null {
  try {
    return JSON.parse(body.toString()) as Record<string, unknown>
  } catch {
    return null
  }
}

function beginning({ body }: Reply): string {
  return body.toString('utf8', 0, 200).replace(/\s+/g, ' ')
}
