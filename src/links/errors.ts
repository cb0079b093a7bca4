/** What can go wrong with a link. No message holds more of it than what is wrong: a link may be signed. */
import { CropVlmError } from '../errors.js'

const REMEDY =
  'Fetch the image yourself and send its bytes: as a file in multipart/form-data, or as base64 or a data URL in JSON.'

export function linksAreOff(): CropVlmError {
  return new CropVlmError('url_not_allowed', `This service fetches no images from links (IMAGE_URLS is off). ${REMEDY}`)
}

/** For a link where none is read: in a form, whose image is a file. */
export function linkOutOfPlace(): CropVlmError {
  return new CropVlmError(
    'url_not_allowed',
    `A link is read from the \`image\` of a JSON body alone, where IMAGE_URLS allows it. ${REMEDY}`,
  )
}

/** For a link of the caller that no host of it could make right. */
export function invalidLink(refusal: string): CropVlmError {
  return new CropVlmError('invalid_url', `The image's link cannot be fetched: ${refusal}. ${REMEDY}`)
}

/** @param hop How many redirects led there. */
export function notAllowed(refusal: string, hop: number): CropVlmError {
  const what =
    hop === 0 ? "The image's link may not be fetched" : "The image's link leads on to one that may not be fetched"
  return new CropVlmError('url_not_allowed', `${what}: ${refusal}. ${REMEDY}`)
}

/** @param reason The end of a sentence. */
export function failed(reason: string, extras: { status?: number; cause?: unknown } = {}): CropVlmError {
  const { status, cause } = extras
  return new CropVlmError('url_failed', `The image cannot be fetched from its link: ${reason}. ${REMEDY}`, {
    ...(status === undefined ? {} : { details: { status } }),
    ...(cause === undefined ? {} : { cause }),
  })
}

export function timedOut(timeoutMs: number): CropVlmError {
  return new CropVlmError(
    'url_timeout',
    `The image did not come from its link within ${timeoutMs} ms (IMAGE_URL_TIMEOUT_MS). ${REMEDY}`,
  )
}

export function tooLarge(maxBytes: number): CropVlmError {
  return new CropVlmError(
    'body_too_large',
    `The file behind the image's link is over ${maxBytes} bytes (MAX_BODY_BYTES); send a smaller image.`,
    { param: 'image' },
  )
}

export function tooMany(): CropVlmError {
  return new CropVlmError('queue_full', 'Too many images are being fetched from links; try again later.')
}

export function tooLate(): CropVlmError {
  return new CropVlmError('deadline_exceeded', 'The deadline of the request passed before its image had been fetched.')
}
