/** OpenAI-compatible chat completions (vLLM, SGLang, Ollama, llama.cpp, OpenAI). The only file that imports `openai`. */
import OpenAI from 'openai'
import { CropVlmError } from '../errors.js'
import type { Party } from './party.js'
import { Semaphore } from './semaphore.js'
import { TimedOut, timer } from './timer.js'

interface Endpoint {
  /** Up to and with `/v1`. */
  readonly baseUrl: string
  readonly apiKey: string | null
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number
  /** Calls in flight at most. */
  readonly concurrency: number
}

/** Who waits for a call, and until when. */
export interface Patience {
  /** Aborted when nobody waits any more. */
  signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  deadline: number
}

/** The body of a chat completion, the endpoint's own extensions included. */
type ChatBody = { model: string; messages: unknown[] } & Record<string, unknown>

export interface ChatClient {
  /**
   * Asks once; a call whose connection broke is made again, once.
   * @returns the reply's JSON, whatever it is: what answers at that address may be anything
   * @throws CropVlmError request_aborted, and the party's own two codes; `details.status` is the HTTP status, or null
   */
  complete(body: ChatBody, patience: Patience): Promise<unknown>
}

export function chatClient(endpoint: Endpoint, party: Party): ChatClient {
  const client = new OpenAI({
    baseURL: endpoint.baseUrl,
    // the library would read these from the environment if they were left out
    apiKey: endpoint.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    ...(endpoint.apiKey === null ? { defaultHeaders: { authorization: null } } : {}),
    // at its level debug the library prints whole requests; its own retries wait for as long as a Retry-After says
    logLevel: 'off',
    maxRetries: 0,
    timeout: endpoint.timeoutMs,
  })
  const semaphore = new Semaphore(endpoint.concurrency)
  return { complete: (body, patience) => inTime(client, endpoint.timeoutMs, party, semaphore, body, patience) }
}

/** The request's deadline and the endpoint's own timeout have a signal each, so that the error can say which one passed. */
async function inTime(
  client: OpenAI,
  timeoutMs: number,
  party: Party,
  semaphore: Semaphore,
  body: ChatBody,
  patience: Patience,
): Promise<unknown> {
  const deadline = timer(patience.deadline - Date.now())
  try {
    const waiting = AbortSignal.any([patience.signal, deadline.signal])
    return await semaphore.run(waiting, async () => {
      const own = timer(timeoutMs)
      try {
        return await send(client, body, AbortSignal.any([waiting, own.signal]))
      } finally {
        own.clear()
      }
    })
  } catch (error) {
    if (patience.signal.aborted) throw new CropVlmError('request_aborted', 'The client went away.', { cause: error })
    throw asCoded(error, party, deadline.signal.aborted)
  } finally {
    deadline.clear()
  }
}

async function send(client: OpenAI, body: ChatBody, signal: AbortSignal): Promise<unknown> {
  // the library's own timeout covers the time until the reply's headers; the signal covers the body too
  const call = (): Promise<unknown> =>
    client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsNonStreaming, { signal })
  return (
    call()
      // an endpoint may close a kept connection just as it is used again: the call is made once more, on a new connection
      .catch(error => (isHangUp(error) && !signal.aborted ? call() : Promise.reject(error)))
      .catch(error => Promise.reject(signal.aborted ? new TimedOut() : error))
  )
}

/**
 * The endpoint's failure as a coded error. The endpoint's own text is neither passed on nor logged, because endpoints
 * repeat keys and questions in it.
 */
function asCoded(error: unknown, party: Party, deadlinePassed: boolean): CropVlmError {
  const { subject, failed } = party
  const lower = subject.charAt(0).toLowerCase() + subject.slice(1)
  if (error instanceof TimedOut || error instanceof OpenAI.APIConnectionTimeoutError)
    return new CropVlmError(
      party.timedOut,
      deadlinePassed
        ? `The request's deadline passed before ${lower} answered.`
        : `${subject} did not answer within its timeout (${party.timeoutOption}).`,
    )
  if (error instanceof OpenAI.APIConnectionError || isHangUp(error))
    return new CropVlmError(failed, `The connection to ${lower} failed: it is down, or it hung up.`, {
      details: { status: null },
      cause: (error as Error).cause,
    })
  if (error instanceof OpenAI.APIError && typeof error.status === 'number') return refused(error, party)
  return new CropVlmError(failed, `${subject}'s reply cannot be read: it is not a chat completion.`, {
    details: { status: null },
    // a syntax error quotes the endpoint's text
    ...(error instanceof SyntaxError ? {} : { cause: error }),
  })
}

/** Whether the other side closed the connection: undici says so in the error or in one of its causes. */
function isHangUp(error: unknown): boolean {
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
