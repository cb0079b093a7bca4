/** How the failures of an OpenAI-compatible endpoint are told. */
import OpenAI from 'openai'
import { CropVlmError } from '../errors.js'
import type { Party } from './party.js'
import { TimedOut } from './timer.js'
import { connectionProblem } from './transport/connection.js'

/**
 * The endpoint's failure as a coded error. The endpoint's own text is neither passed on nor logged, because endpoints
 * repeat keys and questions in it.
 */
export function asCoded(error: unknown, party: Party, deadlinePassed: boolean): CropVlmError {
  const { subject, failed } = party
  const lower = subject.charAt(0).toLowerCase() + subject.slice(1)
  if (error instanceof TimedOut || error instanceof OpenAI.APIConnectionTimeoutError)
    return new CropVlmError(
      party.timedOut,
      deadlinePassed
        ? `The request's deadline passed before ${lower} answered.`
        : `${subject} did not answer within its timeout (${party.timeoutOption}).`,
    )
  if (error instanceof OpenAI.APIConnectionError || isHangUp(error)) {
    const problem = connectionProblem(error, party.addressOption) ?? 'it is down, or it hung up.'
    return new CropVlmError(failed, `The connection to ${lower} failed: ${problem}`, {
      details: { status: null },
      cause: (error as Error).cause,
    })
  }
  if (error instanceof OpenAI.APIError && typeof error.status === 'number') return refused(error, party)
  return new CropVlmError(failed, `${subject}'s reply cannot be read: it is not a chat completion.`, {
    details: { status: null },
    // a syntax error quotes the endpoint's text
    ...(error instanceof SyntaxError ? {} : { cause: error }),
  })
}

/** Whether the other side closed the connection: undici says so in the error or in one of its causes. */
export function isHangUp(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || (cause !== undefined && isHangUp(cause))
}

interface Refusal {
  status: number
  code?: unknown
  headers?: Headers | undefined
}

function refused({ status, code, headers }: Refusal, { failed, subject, hints }: Party): CropVlmError {
  const retryAfter = Number(headers?.get('retry-after') ?? Number.NaN)
  return new CropVlmError(failed, `${subject} replied ${status}${hints[status] ?? '.'}`, {
    details: {
      status,
      ...(typeof code === 'string' && /^\w{1,64}$/.test(code) ? { code } : {}),
      ...(Number.isFinite(retryAfter) ? { retry_after: retryAfter } : {}),
    },
  })
}
