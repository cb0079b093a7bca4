/**
 * Turns coded errors into HTTP replies; no other file knows statuses. The body is OpenAI's error envelope, which its
 * clients can read, with the request's id and, in `source`, who failed: this service (`gateway`), the target, or the
 * endpoint of the cropper.
 */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError, type ErrorCode } from '../../errors.js'
import { spanOf } from './tracing.js'

export interface ErrorBody {
  error: {
    message: string
    type: string
    param: string | null
    code: ErrorCode
    source: 'gateway' | 'cropper' | 'target'
    details?: Record<string, unknown>
  }
  request_id: string
}

interface Row {
  status: number
  type: string
  /** `param`, if the error itself names no field. */
  param?: string
  source?: 'cropper' | 'target'
  /** Seconds for `Retry-After`, if the error itself gives none. */
  retryAfter?: number
  /** The level at which a status of 500 or above is logged. Without one it is a bug: logged as an error, with its stack. */
  log?: 'info' | 'warn'
}

const bad = (status: number, param?: string): Row => ({
  status,
  type: 'invalid_request_error',
  ...(param === undefined ? {} : { param }),
})
const unavailable = (retryAfter: number, log: 'info' | 'warn'): Row => ({
  status: 503,
  type: 'server_error',
  retryAfter,
  log,
})
const upstream = (status: number, source: 'cropper' | 'target'): Row => ({
  status,
  type: 'upstream_error',
  source,
  log: 'warn',
})

/** Every code with its status; `satisfies` keeps it complete. */
export const REPLIES = {
  invalid_body: bad(400),
  missing_field: bad(400),
  unknown_option: bad(400),
  invalid_option: bad(400),
  invalid_base64: bad(400, 'image'),
  question_too_long: bad(400, 'question'),
  unsupported_resolution: bad(400, 'resolution'),
  unknown_target: bad(400, 'target'),
  invalid_api_key: { status: 401, type: 'authentication_error' },
  invalid_url: bad(400, 'image'),
  url_not_allowed: { status: 403, type: 'permission_error', param: 'image' },
  not_found: bad(404),
  method_not_allowed: bad(405),
  body_too_large: bad(413),
  image_too_large: bad(413, 'image'),
  image_aspect_too_extreme: bad(413, 'image'),
  unsupported_content_type: bad(415),
  unsupported_image_format: bad(415, 'image'),
  image_undecodable: bad(422, 'image'),
  // the link is the caller's: what its host does wrong is no failure of this service
  url_failed: bad(422, 'image'),
  url_timeout: { status: 504, type: 'upstream_error', param: 'image', log: 'warn' },
  queue_full: { status: 429, type: 'rate_limit_error', retryAfter: 1 },
  not_ready: unavailable(5, 'info'),
  draining: unavailable(5, 'info'),
  engine_unavailable: unavailable(1, 'warn'),
  deadline_exceeded: { status: 504, type: 'server_error', log: 'warn' },
  // the client has gone and does not read this; 499 is what nginx writes in its log for that
  request_aborted: { status: 499, type: 'invalid_request_error' },
  model_failed: { status: 500, type: 'server_error', log: 'warn' },
  internal_error: { status: 500, type: 'server_error' },
  cropper_failed: upstream(502, 'cropper'),
  cropper_timeout: upstream(504, 'cropper'),
  target_failed: upstream(502, 'target'),
  target_timeout: upstream(504, 'target'),
  invalid_config: { status: 500, type: 'server_error' },
  invalid_model: { status: 500, type: 'server_error' },
} satisfies Record<ErrorCode, Row>

/** The codes of errors that Fastify and its plugins throw. Any other of theirs with a 4xx status is `invalid_body`. */
const FRAMEWORK: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_REQ_FILE_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_content_type',
}

const FRAMEWORK_TEXT: Partial<Record<ErrorCode, string>> = {
  body_too_large: 'The body is over the limit; send a smaller image.',
  unsupported_content_type: 'Send application/json or multipart/form-data.',
}

/** Anything that reached the error handler, as a coded error. */
export function toCoded(error: unknown): CropVlmError {
  if (error instanceof CropVlmError || !(error instanceof Error)) return CropVlmError.from(error)
  const { code, statusCode, message } = error as Partial<FastifyError> & Error
  const known = FRAMEWORK[code ?? '']
  if (known) return new CropVlmError(known, FRAMEWORK_TEXT[known] ?? message, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new CropVlmError('invalid_body', `The request cannot be read: ${message}`, { cause: error })
  return CropVlmError.from(error)
}

/** The body, status and headers that a coded error becomes. */
export function errorReply(error: CropVlmError, requestId: string) {
  const row: Row = REPLIES[error.code]
  const body: ErrorBody = {
    error: {
      message: error.message,
      type: row.type,
      param: error.param ?? row.param ?? null,
      code: error.code,
      source: row.source ?? 'gateway',
      ...(error.details === undefined ? {} : { details: error.details }),
    },
    request_id: requestId,
  }
  // of an upstream that is not asked now, the error alone knows when that makes sense again
  const isSaid = row.retryAfter !== undefined || row.source !== undefined
  const retryAfter = isSaid ? (error.retryAfter ?? row.retryAfter) : undefined
  const headers: Record<string, string> = { 'x-request-id': requestId }
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)))
  if (error.code === 'invalid_api_key') headers['www-authenticate'] = 'Bearer'
  return { status: row.status, headers, body }
}

/** Fastify's error handler: one log line, one envelope. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const coded = toCoded(error)
  const { status, headers, body } = errorReply(coded, request.id)
  logError(coded, status, request)
  if (status >= 500) spanOf(request).fail(coded)
  else spanOf(request).set({ 'cropvlm.error.code': coded.code })
  return reply
    .code(status)
    .headers(headers)
    .type('application/json; charset=utf-8')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(body)
}

function logError(error: CropVlmError, status: number, request: FastifyRequest): void {
  const { code, message: reason } = error
  const { log }: Row = REPLIES[code]
  if (status < 500) request.log.debug({ code, reason }, 'request refused')
  else if (!log) request.log.error({ err: error, code }, 'request failed')
  // a probe may ask every second while the models load, which would fill the log
  else
    request.log[request.routeOptions.config?.probe ? 'debug' : log](
      { code, reason, cause: rootCause(error) },
      'request failed',
    )
}

/** The text of the innermost cause that is not ours, as in "connect ECONNREFUSED 127.0.0.1:8000"; undefined if there is none. */
function rootCause(error: Error): string | undefined {
  const { cause } = error
  if (!(cause instanceof Error)) return undefined
  const { message, code } = cause as NodeJS.ErrnoException
  return rootCause(cause) ?? (cause instanceof CropVlmError ? undefined : message || code)
}
