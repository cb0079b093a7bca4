/** Reads the errors of OpenAI-compatible servers, which have as many shapes as there are servers. */

/** What a server says of its failure. Its words are not to be passed on before `cleanReason` has been over them. */
export interface UpstreamError {
  message: string | null
  /** A name like `context_length_exceeded`, or a status in digits. */
  code: string | null
  type: string | null
  /** The field of the request that it is about. */
  param: string | null
}

type Fields = Readonly<Record<string, unknown>>

/**
 * The error in the body of a reply.
 * - OpenAI: `{"error": {"message", "code", "type"}}`; Gemini puts that in a list
 * - vLLM: `{"object": "error", "message", "code"}`
 * - Ollama: `{"error": "..."}`
 * - FastAPI, LiteLLM: `{"detail": "..."}`, or a list of `{"msg"}`
 * - OpenRouter: the provider's own error is in `error.metadata.raw`; one that came while the model wrote is in its choice, or
 *   beside its choices
 * - SiliconFlow and others, with the status 200: `{"code", "message"}`
 * @returns null where the body is no error, as a chat completion is none
 */
export function errorIn(body: unknown): UpstreamError | null {
  if (Array.isArray(body)) return body.length > 0 && isFields(body[0]) ? errorIn(body[0]) : null
  if (!isFields(body)) return null
  const { choices, error, detail, errors, object, code, message, success } = body
  if (Array.isArray(choices)) return [error, choices[0]?.error].map(whileWriting).find(told => told !== null) ?? null
  if (isGiven(error)) return describe(error, isFields(error) ? error : body)
  if (object === 'error') return describe(body, body)
  if (isGiven(detail)) return describe(detail, body)
  if (isGiven(errors)) return describe(errors, body)
  const isTold = typeof message === 'string' && (success === false || isGiven(code))
  return isTold ? describe(body, body) : null
}

/** An error beside what the model has written so far. Some servers have an empty one beside a whole answer. */
function whileWriting(error: unknown): UpstreamError | null {
  return isFields(error) && wordsOf(error) !== null ? describe(error, error) : null
}

/** The error of a reply whose status says that it is one: the same, or whatever the body holds in words. */
export function errorOfRefusal(body: unknown): UpstreamError {
  return errorIn(body) ?? describe(body, isFields(body) ? body : {})
}

function describe(words: unknown, { code, type, metadata, message }: Fields): UpstreamError {
  // `{"error": "Not Found", "message": "No static resource"}` has its reason beside the error
  const told = [wordsOf(words), typeof words === 'object' ? null : wordsOf(message), rawOf(metadata)]
  const whole = told.filter(part => part !== null).join(': ')
  return { message: whole === '' ? null : whole, code: nameOf(code), type: nameOf(type), param: paramOf(words) }
}

/** The field that an error names: OpenAI in `param`, FastAPI and Mistral at the end of `loc`. */
function paramOf(value: unknown): string | null {
  if (Array.isArray(value)) return value.map(paramOf).find(param => param !== null) ?? null
  if (!isFields(value)) return null
  const { param, loc, message, detail, error, errors } = value
  if (typeof param === 'string') return param
  const last: unknown = Array.isArray(loc) ? loc.at(-1) : undefined
  return typeof last === 'string' ? last : paramOf([message, detail, error, errors])
}

/** The words of whatever stands where a message should. A page of HTML has none. */
function wordsOf(value: unknown): string | null {
  if (typeof value === 'string') return value.trim() === '' || value.trimStart().startsWith('<') ? null : value
  if (Array.isArray(value)) return value.map(wordsOf).find(words => words !== null) ?? null
  if (!isFields(value)) return null
  const { message, msg, detail, error, errors } = value
  return [message, msg, detail, error, errors].map(wordsOf).find(words => words !== null) ?? null
}

function rawOf(metadata: unknown): string | null {
  const raw = isFields(metadata) ? metadata.raw : undefined
  if (typeof raw !== 'string') return wordsOf(raw)
  try {
    return wordsOf(JSON.parse(raw))
  } catch {
    return wordsOf(raw)
  }
}

function nameOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== ''
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
