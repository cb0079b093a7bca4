import { OddReply, readText } from './bounded-text.js'
import { isEventStream, joinEvents } from './event-stream.js'
import { parseShallow } from './shallow-json.js'
import { errorIn, errorOfRefusal } from './upstream-error.js'

/** Statuses whose replies have no body. */
const WITHOUT_BODY = [204, 205, 304]

/**
 * Wraps a `fetch` of chat completions, so that what it gives is what the `openai` library reads: the reply whole, of
 * `MAX_REPLY_BYTES` at most; JSON said to be JSON, whatever content type the server gave it; the completion that an event
 * stream adds up to; and each error in OpenAI's own shape, `{"error": {"message", "code", "type"}}`.
 * @throws OddReply of a reply that is too long, or an event stream that cannot be read; and what `fetch` throws
 */
export function tolerantFetch(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init)
    const { status } = response
    const text = await readText(response.body)
    // such a status could not be given to a `Response`
    if (status > 599) throw new OddReply(`its status is ${status}, which HTTP does not know`)
    if (WITHOUT_BODY.includes(status)) return new Response(null, { status })
    return asJson(text, response)
  }
}

function asJson(text: string, { ok, status, headers }: Response): Response {
  const body = ok ? parsed(text) : { error: errorOfRefusal(wordsOf(text)) }
  const given = headers.get('content-type')
  const kept = new Headers(body === undefined ? (given === null ? {} : { 'content-type': given }) : JSON_TYPE)
  const retryAfter = headers.get('retry-after')
  if (retryAfter !== null) kept.set('retry-after', retryAfter)
  return new Response(body === undefined ? text : JSON.stringify(body), { status, headers: kept })
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** The value that a text is, or adds up to; undefined if it is neither JSON nor an event stream. */
function parsed(text: string): unknown {
  try {
    return unwrapped(parseShallow(text))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return isEventStream(text) ? joinEvents(text) : undefined
  }
}

/** The same of a refusal, which may be a plain text too. */
function wordsOf(text: string): unknown {
  try {
    return parsed(text) ?? text
  } catch (error) {
    if (error instanceof OddReply) return text
    throw error
  }
}

/** An error in OpenAI's own shape, as it is read where the status does not say that it is one; anything else as it is. */
function unwrapped(value: unknown): unknown {
  const error = errorIn(value)
  return error ? { error } : value
}
