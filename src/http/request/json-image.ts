/** The `image` of a JSON body: a data URL, bare base64, or OpenAI's `{"image_url": {"url": ...}}` around either. */
import { CropVlmError } from '../../errors.js'
import { linkOutOfPlace } from '../../links/errors.js'

const DATA_URL = /^data:[^,]*,/i
const OTHER_URL = /^\s*[a-z][a-z0-9+.-]*:\/\//i

/**
 * The file's bytes.
 * @throws CropVlmError missing_field, invalid_base64, url_not_allowed
 */
export function readImageField(value: string | { image_url: { url: string } }): Buffer {
  const text = imageText(value)
  if (text === '') throw new CropVlmError('missing_field', '`image` is empty.', { param: 'image' })
  refuseUrl(text)
  // only the head is searched: the rest may be megabytes
  const head = DATA_URL.exec(text.slice(0, 256))?.[0]
  if (head === undefined && /^data:/i.test(text)) throw notBase64('the data URL has no comma after its media type')
  if (head !== undefined && !/;base64,$/i.test(head)) throw notBase64('the data URL does not say ;base64')
  return decodeBase64(head === undefined ? text : text.slice(head.length))
}

/** A link, of any scheme, is fetched by a hook of the routes (`image-link.ts`) or not at all. */
export function refuseUrl(text: string): void {
  if (isLink(text)) throw linkOutOfPlace()
}

export function isLink(text: string): boolean {
  return OTHER_URL.test(text.slice(0, 64))
}

/** The text that holds the image. */
export function imageText(value: string | { image_url: { url: string } }): string {
  return typeof value === 'string' ? value : value.image_url.url
}

/** Strict base64 of the standard alphabet, padded (RFC 4648, section 4); Node's own decoder skips what it cannot read. */
export function decodeBase64(text: string): Buffer {
  if (text === '') throw new CropVlmError('missing_field', '`image` is empty.', { param: 'image' })
  if (/\s/.test(text.slice(0, 256)) || text.endsWith('\n'))
    throw notBase64('it has line breaks or spaces (with GNU base64 use -w0)')
  if (text.includes('-') || text.includes('_')) throw notBase64('it uses the URL alphabet (- and _ for + and /)')
  if (text.length % 4 !== 0)
    throw notBase64('its length is not a multiple of 4, so it is cut short or lacks its = padding')
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== (text.length / 4) * 3 - padding) throw notBase64('it holds characters outside A-Z a-z 0-9 + /')
  return bytes
}

function notBase64(why: string): CropVlmError {
  return new CropVlmError('invalid_base64', `\`image\` is not valid base64: ${why}.`)
}
