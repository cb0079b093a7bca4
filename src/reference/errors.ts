/** The table of error codes: statuses from the one table that gives them, and what each means to a caller. */
import type { ErrorCode } from '../errors.js'
import { REPLIES } from '../http/plugins/errors.js'
import { code, table } from './markdown.js'

const MEANING: Record<ErrorCode, string> = {
  invalid_body: 'The body cannot be read as what its content type says.',
  missing_field: 'A field that is needed is missing or empty.',
  unknown_option: 'A field has a name that is not known; the message names the nearest one.',
  invalid_option: 'An option has a value that it does not take.',
  invalid_base64: 'The image of a JSON body is no base64.',
  question_too_long: 'The question is longer than `MAX_QUESTION_CHARS`.',
  unsupported_resolution: 'The cropper does not support this resolution; `GET /info` lists those that it does.',
  unknown_target: 'No target has this name; `GET /info` lists them.',
  invalid_api_key: 'The bearer token is missing, or is none of the keys in `API_KEY`.',
  invalid_url:
    'The link of an image is none, holds a user name or a password, or names a port that is not fetched from.',
  url_not_allowed: 'Links are off, or this host or address is not allowed (`IMAGE_URLS`, `IMAGE_URL_HOSTS`).',
  not_found: 'No route has this path.',
  method_not_allowed: 'The route has other methods; the header `allow` lists them.',
  body_too_large: 'The body is larger than `MAX_BODY_BYTES`, or `PROXY_MAX_BODY_BYTES` under `/v1`.',
  image_too_large: 'The image has more pixels than `MAX_PIXELS`; its header told, nothing was decoded.',
  image_aspect_too_extreme: 'The image is longer and narrower than `MAX_ASPECT`.',
  unsupported_content_type: 'The content type is neither JSON nor a form.',
  unsupported_image_format: 'The image is no JPEG, PNG or WebP by its content.',
  image_undecodable: 'The image is of a known format, and broken.',
  url_failed: 'The host of an image link did not give a picture.',
  url_timeout: 'The host of an image link was too slow (`IMAGE_URL_TIMEOUT_MS`).',
  queue_full: 'More requests wait than `QUEUE_SIZE`; try again after `Retry-After`.',
  not_ready: 'The models are being loaded; try again after `Retry-After`.',
  draining: 'The service is being stopped; ask another one.',
  engine_unavailable: 'The process that runs the models is being started again; try again after `Retry-After`.',
  deadline_exceeded: 'The request took longer than `REQUEST_TIMEOUT_MS`.',
  request_aborted: 'The client has gone. It stands in the log alone.',
  model_failed:
    'The model gave what is no answer (numbers that are none), or its own template or patterns failed for this question or took too long.',
  internal_error: 'A fault of this service; the log has its cause beside the request id.',
  cropper_failed: 'The endpoint that finds the boxes failed; `details` has its status and reason.',
  cropper_timeout: 'The endpoint that finds the boxes was too slow (`CROPPER_TIMEOUT_MS`).',
  target_failed: 'The target failed; `details.crop` has the box all the same.',
  target_timeout: 'The target was too slow (`TARGET_TIMEOUT_MS`); `details.crop` has the box all the same.',
  invalid_config: 'At start: a variable is wrong; the message lists all that are.',
  invalid_model: 'At start: a model folder cannot be used; the message names the file.',
}

/** Codes that end the start and are never sent. */
const AT_START = new Set(['invalid_config', 'invalid_model'])

export function errorReference(): string[] {
  const rows = Object.entries(REPLIES).map(([name, { status, type }]) => {
    const sent = !AT_START.has(name)
    return [code(name), sent ? String(status) : '', sent ? code(type) : '', MEANING[name as ErrorCode]]
  })
  return table(['code', 'status', 'type', 'meaning'], rows)
}
