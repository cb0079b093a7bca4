/** OpenAI-compatible chat completions (vLLM, SGLang, Ollama, llama.cpp, OpenAI). */
import type OpenAI from 'openai'
import { CropVlmError } from '../errors.js'
import { NO_SPAN, type Span } from '../tracing/span.js'
import { Breaker, type BreakerState, type Verdict } from './breaker.js'
import { callSpan, tellFailure, tellReply } from './call-span.js'
import { asCoded, ErrorWithin, isHangUp, verdictOf } from './failure.js'
import type { Party } from './party.js'
import { errorIn } from './reply/upstream-error.js'
import { type OptionalField, unsupportedField } from './request/unsupported.js'
import { Semaphore } from './semaphore.js'
import { TimedOut, timer } from './timer.js'
import { type Address, openAiClient } from './transport/transport.js'

export interface Endpoint extends Address {
  /** Fields of each body that the request itself does not set. Default: none. */
  readonly extraBody?: Readonly<Record<string, unknown>>
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number
  /** Calls in flight at most. */
  readonly concurrency: number
}

/** How a client deals with an endpoint that is slow to start, or down. */
export interface Guard {
  /** How long a call may take while the endpoint has not answered yet, in milliseconds; never less than its timeout. */
  readonly firstTimeoutMs: number
  /** Failures in a row after which the endpoint is not asked; 0: it always is. */
  readonly breakerFailures: number
  /** For how long it is not asked, in milliseconds. */
  readonly breakerMs: number
}

/** Every call is made, and none has more time than another. */
export const UNGUARDED: Guard = { firstTimeoutMs: 0, breakerFailures: 0, breakerMs: 0 }

/** Who waits for a call, and until when. */
export interface Patience {
  /** Aborted when nobody waits any more. */
  signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  deadline: number
  /** What the call is a part of; left out where nothing is told of it. */
  span?: Span | undefined
}

/** A call's caller. */
export interface Caller extends Patience {
  /** What the call is about: no error repeats it. */
  question: string
}

/** The body of a chat completion, the endpoint's own extensions included. */
type ChatBody = { model: string; messages: unknown[] } & Record<string, unknown>

export interface ChatClient {
  /**
   * Asks once; a call whose connection broke is made again, once.
   * @returns the reply's JSON, whatever it is: what answers at that address may be anything, but for an error
   * @throws CropVlmError request_aborted, and the party's own two codes; `details.status` is the HTTP status, or null, and
   * `details.breaker` is `open` where the endpoint was not asked, because it is down;
   * `details.unsupported` is the field that the endpoint does not take (`OptionalField`)
   */
  complete(body: ChatBody, caller: Caller): Promise<unknown>
  /** null where every call is made. */
  readonly breaker: BreakerState | null
}

export function chatClient(endpoint: Endpoint, party: Party, guard: Guard = UNGUARDED): ChatClient {
  const { timeoutMs, extraBody } = endpoint
  const client = openAiClient(endpoint, Math.max(timeoutMs, guard.firstTimeoutMs))
  const breaker = new Breaker({ failures: guard.breakerFailures, openMs: guard.breakerMs })
  const semaphore = new Semaphore(endpoint.concurrency)
  const parts = { client, endpoint, party, guard, breaker, semaphore, hasAnswered: false }
  return {
    complete: (body, caller) => inTime(parts, { ...extraBody, ...body }, caller),
    get breaker() {
      return guard.breakerFailures === 0 ? null : breaker.state
    },
  }
}

interface Parts {
  readonly client: OpenAI
  readonly endpoint: Endpoint
  readonly party: Party
  readonly guard: Guard
  readonly breaker: Breaker
  readonly semaphore: Semaphore
  /** Whether any call has been answered. */
  hasAnswered: boolean
}

/** The request's deadline and the endpoint's own timeout have a signal each, so that the error can say which one passed. */
async function inTime(parts: Parts, body: ChatBody, caller: Caller): Promise<unknown> {
  const { breaker, endpoint, guard, party, semaphore } = parts
  const deadline = timer(caller.deadline - Date.now())
  let isFirst = false
  let span: Span = NO_SPAN
  const judge = (error: unknown): Verdict => (caller.signal.aborted ? 'unknown' : verdictOf(error))
  try {
    // those that would only wait for their turn are refused at once
    breaker.check()
    const waiting = AbortSignal.any([caller.signal, deadline.signal])
    return await semaphore.run(waiting, async () => {
      isFirst = !parts.hasAnswered && guard.firstTimeoutMs > endpoint.timeoutMs
      const own = timer(isFirst ? guard.firstTimeoutMs : endpoint.timeoutMs)
      try {
        const call = () => {
          span = callSpan(caller.span, endpoint.baseUrl, body.model, party.role)
          return send(parts, body, AbortSignal.any([waiting, own.signal]), span)
        }
        return await breaker.run(call, judge)
      } finally {
        own.clear()
      }
    })
  } catch (error) {
    const failure = failureOf(error, parts, caller, { deadlinePassed: deadline.signal.aborted, isFirst })
    tellFailure(span, failure)
    throw failure
  } finally {
    span.end()
    deadline.clear()
  }
}

function failureOf(
  error: unknown,
  { endpoint, party }: Parts,
  { signal, question }: Caller,
  how: { deadlinePassed: boolean; isFirst: boolean },
): CropVlmError {
  if (signal.aborted) return new CropVlmError('request_aborted', 'The client went away.', { cause: error })
  const secrets = { apiKey: endpoint.apiKey, question }
  const failure = asCoded(error, { party, secrets, ...how, ...proxiedOf(endpoint) })
  // an error within a 200 says the same as one with a status
  const refused = error instanceof ErrorWithin ? { status: 400, error: error.error } : error
  return withUnsupported(failure, unsupportedField(refused))
}

function proxiedOf({ baseUrl, proxies }: Endpoint): { proxied?: URL } {
  return proxies?.httpProxy || proxies?.httpsProxy ? { proxied: new URL(baseUrl) } : {}
}

function withUnsupported(failure: CropVlmError, field: OptionalField | null): CropVlmError {
  if (field === null) return failure
  const { code, message, details, cause } = failure
  return new CropVlmError(code, message, { details: { ...details, unsupported: field }, cause })
}

async function send(parts: Parts, body: ChatBody, signal: AbortSignal, span: Span): Promise<unknown> {
  const { headers } = span
  // the library's own timeout covers the time until the reply's headers; the signal covers the body too
  const call = (): Promise<unknown> =>
    parts.client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming, {
      signal,
      headers,
    })
  const reply = await call()
    // an endpoint may close a kept connection just as it is used again: the call is made once more, on a new connection
    .catch(error => (isHangUp(error) && !signal.aborted ? call() : Promise.reject(error)))
    .catch(error => Promise.reject(signal.aborted ? new TimedOut() : error))
  const error = errorIn(reply)
  if (error) throw new ErrorWithin(error)
  parts.hasAnswered = true
  tellReply(span, reply)
  return reply
}
