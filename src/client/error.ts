/** What a client tells when a request has failed. */

export interface ClientErrorDetails {
  /** HTTP status; null where no reply came. */
  status?: number | null
  /** The request's field that is wrong. */
  param?: string | null
  /** Who failed: `gateway` (the service), `cropper` or `target`. */
  source?: string | null
  details?: Record<string, unknown> | null
  requestId?: string | null
  /** Seconds after which trying again makes sense; null where the service does not say. */
  retryAfter?: number | null
  cause?: unknown
}

/** A request that failed. `message` says what to do. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  /** The service's error code, or `unreachable`, `timeout`, `aborted`. */
  readonly code: string
  readonly status: number | null
  readonly param: string | null
  readonly source: string | null
  readonly details: Record<string, unknown> | null
  readonly requestId: string | null
  readonly retryAfter: number | null

  constructor(code: string, message: string, extras: ClientErrorDetails = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.code = code
    this.status = extras.status ?? null
    this.param = extras.param ?? null
    this.source = extras.source ?? null
    this.details = extras.details ?? null
    this.requestId = extras.requestId ?? null
    this.retryAfter = extras.retryAfter ?? null
  }
}

interface Envelope {
  error: {
    message: string
    code: string
    param?: string | null
    source?: string
    details?: Record<string, unknown>
  }
  request_id?: string
}

/** The error of a reply that is not 2xx, be it the service's or that of a proxy in front of it. */
export function replyError(response: Response, text: string): ClientError {
  const { status } = response
  const after = response.headers.get('retry-after')
  const retryAfter = after !== null && /^\d+$/.test(after) ? Number(after) : null
  const requestId = response.headers.get('x-request-id')
  const envelope = readEnvelope(text)
  if (envelope === null)
    return new ClientError('unreachable', `Status ${status}, and not from a CropVLM service: ${text.slice(0, 200)}`, {
      status,
      retryAfter,
      requestId,
    })
  const { message, code, param = null, source = null, details = null } = envelope.error
  return new ClientError(code, message, { status, param, source, details, retryAfter, requestId })
}

function readEnvelope(text: string): Envelope | null {
  try {
    const { error } = JSON.parse(text) as Partial<Envelope>
    return typeof error?.message === 'string' && typeof error.code === 'string' ? { error } : null
  } catch {
    return null
  }
}
