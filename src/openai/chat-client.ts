/** OpenAI-compatible chat completions (vLLM, SGLang, Ollama, llama.cpp, OpenAI). */
import type OpenAI from 'openai'
import { CropVlmError } from '../errors.js'
import { asCoded, isHangUp } from './failure.js'
import type { Party } from './party.js'
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
   * @throws CropVlmError request_aborted, and the party's own two codes; `details.status` is the HTTP status, or null;
   * `details.unsupported` is the field that the endpoint does not take (`OptionalField`)
   */
  complete(body: ChatBody, patience: Patience): Promise<unknown>
}

export function chatClient(endpoint: Endpoint, party: Party): ChatClient {
  const { timeoutMs, extraBody } = endpoint
  const client = openAiClient(endpoint, timeoutMs)
  const semaphore = new Semaphore(endpoint.concurrency)
  return {
    complete: (body, patience) => inTime(client, timeoutMs, party, semaphore, { ...extraBody, ...body }, patience),
  }
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
    throw withUnsupported(asCoded(error, party, deadline.signal.aborted), unsupportedField(error))
  } finally {
    deadline.clear()
  }
}

function withUnsupported(failure: CropVlmError, field: OptionalField | null): CropVlmError {
  if (field === null) return failure
  const { code, message, details, cause } = failure
  return new CropVlmError(code, message, { details: { ...details, unsupported: field }, cause })
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
