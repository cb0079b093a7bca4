/**
 * The errors of this project, each with a code: a wrong request, model or configuration, and failures of the service.
 * Only `http/plugins/errors.ts` knows which status a code becomes.
 */

/** Stable, machine-readable names; they appear as `error.code` in replies and never change their meaning. */
export type ErrorCode =
  // the request
  | 'invalid_body'
  | 'missing_field'
  | 'unknown_option'
  | 'invalid_option'
  | 'invalid_base64'
  | 'question_too_long'
  | 'unsupported_resolution'
  | 'unknown_target'
  | 'invalid_api_key'
  | 'invalid_url'
  | 'url_not_allowed'
  | 'not_found'
  | 'method_not_allowed'
  // the image
  | 'body_too_large'
  | 'image_too_large'
  | 'image_aspect_too_extreme'
  | 'unsupported_content_type'
  | 'unsupported_image_format'
  | 'image_undecodable'
  | 'url_failed'
  | 'url_timeout'
  // the server's own state
  | 'queue_full'
  | 'not_ready'
  | 'draining'
  | 'engine_unavailable'
  | 'deadline_exceeded'
  | 'request_aborted'
  | 'model_failed'
  | 'internal_error'
  // the cropper's endpoint
  | 'cropper_failed'
  | 'cropper_timeout'
  // the target VLM
  | 'target_failed'
  | 'target_timeout'
  // start-up only: never sent over HTTP
  | 'invalid_config'
  | 'invalid_model'

export interface ErrorExtras {
  /** The request's field that is wrong. */
  param?: string
  /** What else the caller can use: the upstream's status, the box found before a target failed. */
  details?: Record<string, unknown>
  /** Seconds after which trying again makes sense. */
  retryAfter?: number
  cause?: unknown
}

/** A coded error whose message is written for the person who has to act on it. */
export class CropVlmError extends Error {
  override readonly name = 'CropVlmError'
  readonly code: ErrorCode
  readonly param: string | undefined
  readonly details: Record<string, unknown> | undefined
  readonly retryAfter: number | undefined

  constructor(code: ErrorCode, message: string, extras: ErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause })
    this.code = code
    this.param = extras.param
    this.details = extras.details
    this.retryAfter = extras.retryAfter
  }

  /** The error as plain data, for the channel between the engine process and the HTTP process. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.param === undefined ? {} : { param: this.param }),
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.retryAfter === undefined ? {} : { retryAfter: this.retryAfter }),
    }
  }

  static fromWire({ code, message, ...extras }: WireError): CropVlmError {
    return new CropVlmError(code, message, extras)
  }

  /** Turns anything thrown into a coded error: an unknown failure becomes `internal_error`, with the failure as its cause. */
  static from(error: unknown): CropVlmError {
    if (error instanceof CropVlmError) return error
    return new CropVlmError('internal_error', 'Something failed inside the service; its log has the cause.', {
      cause: error,
    })
  }
}

/** The refusal of new work by an instance that shuts down. */
export function draining(): CropVlmError {
  return new CropVlmError('draining', 'This instance is shutting down; send the request to another one.')
}

/** `CropVlmError` as plain data. */
export interface WireError extends Omit<ErrorExtras, 'cause'> {
  code: ErrorCode
  message: string
}
