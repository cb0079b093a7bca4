/** The `image` of a JSON body: a data URL or base64, bare or in one of the forms in which APIs hand over pictures. */
import { stripped } from '../../contract/question.js'
import { linkOutOfPlace } from '../../links/errors.js'
import { decodeBase64, notBase64 } from './base64.js'

/** OpenAI's parts (`image_url`, `input_image`), Anthropic's block, and `{"url": ...}`; or the text itself. */
export type JsonImage =
  | string
  | { image_url: string | { url: string } }
  | { source: { data: string } | { url: string } }
  | { url: string }

/** A data URL up to its comma. A name or other parameters may stand in it, so it can be long. */
const DATA_URL = /^data:[^,]{0,2000},/i
const IN_BASE64 = /; *base64 *,$/i
const LINK = /^[a-z][a-z0-9+.-]*:\/\//i

/**
 * The file's bytes.
 * @throws CropVlmError missing_field, invalid_base64, url_not_allowed
 */
export function readImageField(value: JsonImage): Buffer {
  const text = imageText(value)
  refuseUrl(text)
  return decodeImageText(text)
}

/** What stands for the picture, whatever form it is in, without white space at its ends: base64, a data URL or a link. */
export function imageText(value: JsonImage): string {
  if (typeof value === 'string') return stripped(value)
  if ('image_url' in value)
    return imageText(typeof value.image_url === 'string' ? value.image_url : value.image_url.url)
  if ('source' in value) return imageText('data' in value.source ? value.source.data : value.source.url)
  return imageText(value.url)
}

/** A link, of any scheme, is fetched by a hook of the routes (`image-link.ts`) or not at all. */
export function refuseUrl(text: string): void {
  if (isLink(text)) throw linkOutOfPlace()
}

/** Whether a text says where a picture is, rather than what is in it. */
export function isLink(text: string): boolean {
  return LINK.test(text.slice(0, 64).trimStart())
}

/**
 * The bytes that a data URL or base64 stands for.
 * @throws CropVlmError missing_field, invalid_base64
 */
function decodeImageText(text: string): Buffer {
  // only the head is searched: the rest may be megabytes
  const head = DATA_URL.exec(text.slice(0, 2048))?.[0]
  if (head === undefined) {
    if (/^data:/i.test(text)) throw notBase64('the data URL has no comma after its media type')
    return decodeBase64(text)
  }
  if (!IN_BASE64.test(head)) throw notBase64('the data URL does not say ;base64')
  const data = text.slice(head.length)
  return decodeBase64(data.includes('%') ? percentDecoded(data) : data)
}

/** A percent sign that begins no byte stays, for the decoder to refuse. */
function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
