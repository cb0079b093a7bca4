/** How the failures of an OpenAI-compatible endpoint are told. */
import OpenAI from 'openai'
import { CropVlmError } from '../errors.js'
import { BreakerOpen, type Verdict } from './breaker.js'
import type { Party } from './party.js'
import { OddReply } from './reply/bounded-text.js'
import { cleanReason, type Secrets } from './reply/clean-reason.js'
import { errorKind } from './reply/error-kinds.js'
import type { UpstreamError } from './reply/upstream-error.js'
import { TimedOut } from './timer.js'
import { connectionProblem } from './transport/connection.js'

/** An error in a reply whose status is 200. */
export class ErrorWithin extends Error {
  override readonly name = 'ErrorWithin'

  constructor(readonly error: UpstreamError) {
    super('The reply holds an error.')
  }
}

interface Circumstances {
  party: Party
  /** What no message may repeat. */
  secrets: Secrets
  /** Whether the request's deadline passed, not the endpoint's own timeout. */
  deadlinePassed: boolean
  /** The endpoint's address, where calls may go through a proxy. */
  proxied?: URL
  /** Whether the endpoint had not answered yet, and was given more time for that. */
  isFirst: boolean
}

/** The endpoint's failure as a coded error. The endpoint's own words go along as `cleanReason` leaves them. */
export function asCoded(error: unknown, circumstances: Circumstances): CropVlmError {
  const { party } = circumstances
  const { subject, failed } = party
  const lower = lowerCase(subject)
  if (error instanceof BreakerOpen) return notAsked(error, party)
  if (error instanceof TimedOut || error instanceof OpenAI.APIConnectionTimeoutError)
    return new CropVlmError(party.timedOut, timeoutMessage(circumstances))
  const odd = oddReply(error)
  if (odd)
    return new CropVlmError(failed, `${subject}'s reply cannot be read: ${odd.message}.`, { details: { status: null } })
  if (error instanceof OpenAI.APIConnectionError || isHangUp(error)) {
    const problem = connectionProblem(error, party.addressOption, circumstances.proxied) ?? 'it is down, or it hung up.'
    return new CropVlmError(failed, `The connection to ${lower} failed: ${problem}`, {
      details: { status: null },
      cause: (error as Error).cause,
    })
  }
  const refusal = refusalOf(error)
  if (refusal) return refused(refusal, circumstances)
  return new CropVlmError(failed, `${subject}'s reply cannot be read: it is not a chat completion.`, {
    details: { status: null },
    // a syntax error quotes the endpoint's text
    ...(error instanceof SyntaxError ? {} : { cause: error }),
  })
}

/** What a failure says of the endpoint: a connection that fails, a timeout and a status of 500 or above that it is down. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof TimedOut || error instanceof OpenAI.APIConnectionTimeoutError) return 'down'
  if (oddReply(error)) return 'up'
  if (error instanceof OpenAI.APIConnectionError || isHangUp(error)) return 'down'
  const refusal = refusalOf(error)
  if (!refusal) return 'up'
  // llama.cpp refuses with 500 what another server refuses with 400
  const isOwnFault = meaningOf(refusal) >= 500 && errorKind(refusal.status, refusal.error) === null
  return isOwnFault ? 'down' : 'up'
}

/** Whether the other side closed the connection: undici says so in the error or in one of its causes. */
export function isHangUp(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || (cause !== undefined && isHangUp(cause))
}

/** The library takes what `fetch` throws for a connection that failed, and makes it the cause. */
function oddReply(error: unknown): OddReply | null {
  if (error instanceof OddReply) return error
  const { cause } = (error ?? {}) as { cause?: unknown }
  return cause instanceof OddReply ? cause : null
}

function timeoutMessage({ party, deadlinePassed, isFirst }: Circumstances): string {
  const { subject, timeoutOption } = party
  const lower = lowerCase(subject)
  const loading = isFirst ? ' It has not answered yet: it may still be loading its model.' : ''
  return deadlinePassed
    ? `The request's deadline passed before ${lower} answered (REQUEST_TIMEOUT_MS).${loading}`
    : `${subject} did not answer within its timeout (${isFirst ? 'TARGET_FIRST_TIMEOUT_MS' : timeoutOption}).${loading}`
}

function notAsked({ state }: BreakerOpen, { failed, subject }: Party): CropVlmError {
  const seconds = Math.max(1, Math.ceil((state.retryInMs ?? 0) / 1000))
  return new CropVlmError(
    failed,
    `${subject} is not asked now: it failed ${state.failures} times in a row (TARGET_BREAKER_FAILURES). The next try is in ${seconds} s.`,
    { details: { status: null, breaker: 'open' }, retryAfter: seconds },
  )
}

interface Refusal {
  status: number
  error: UpstreamError
  headers: Headers | undefined
}

function refusalOf(error: unknown): Refusal | null {
  if (error instanceof ErrorWithin) return { status: 200, error: error.error, headers: undefined }
  if (!(error instanceof OpenAI.APIError) || typeof error.status !== 'number') return null
  const { message = null, code = null, type = null, param = null } = (error.error ?? {}) as Partial<UpstreamError>
  return { status: error.status, error: { message, code, type, param }, headers: error.headers }
}

/** The status that a refusal means: that of an error within a 200 is its code, if it has one. */
function meaningOf({ status, error: { code } }: Refusal): number {
  return status === 200 && code !== null && /^[45]\d\d$/.test(code) ? Number(code) : status
}

function refused(refusal: Refusal, { party, secrets }: Circumstances): CropVlmError {
  const { status, error, headers } = refusal
  const reason = cleanReason(error.message, secrets)
  const code = cleanCode(error.code, secrets)
  const retryAfter = secondsOf(headers?.get('retry-after') ?? '')
  const within = status === 200 ? ' with an error' : ''
  const said = reason === null ? '' : ` It said: ${reason}`
  return new CropVlmError(
    party.failed,
    `${party.subject} replied ${status}${within}${hintOf(refusal, party, reason !== null)}${said}`,
    {
      details: {
        status,
        ...(code === null ? {} : { code }),
        ...(reason === null ? {} : { reason }),
        ...(retryAfter === null ? {} : { retry_after: retryAfter }),
      },
    },
  )
}

/** The seconds of a `Retry-After`; null where it is a date, which is as good as none, or nothing that makes sense. */
function secondsOf(header: string): number | null {
  return /^\d{1,9}(\.\d{1,9})?$/.test(header) ? Number(header) : null
}

/** A code that is a name or a number, and no secret; else null. */
function cleanCode(code: string | null, secrets: Secrets): string | null {
  return code !== null && /^\w{1,64}$/.test(code) && cleanReason(code, secrets) === code ? code : null
}

/** @param isTold Whether the endpoint says itself what it does not like, so that nothing has to be guessed. */
function hintOf(refusal: Refusal, { kinds, hints }: Party, isTold: boolean): string {
  const kind = errorKind(refusal.status, refusal.error)
  if (kind !== null) return kinds[kind]
  const status = meaningOf(refusal)
  if (status === 400 && isTold) return ': it does not take this request.'
  return hints[status] ?? '.'
}

function lowerCase(subject: string): string {
  return subject.charAt(0).toLowerCase() + subject.slice(1)
}
