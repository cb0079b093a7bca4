/** Base64 as callers write it. */
import { CropVlmError } from '../../errors.js'

/** What the standard calls ASCII white space. */
const WHITE = /[\t\n\f\r ]+/g

/**
 * Forgiving base64 (WHATWG Infra): white space anywhere and missing padding are no matter; nor are the letters of the URL
 * alphabet. Node's own decoder also skips what is no letter of either, so that a damaged text would pass.
 * @throws CropVlmError missing_field, invalid_base64
 */
export function decodeBase64(text: string): Buffer {
  // most texts have none, and a copy of one may be megabytes
  const letters = withoutPadding(text.search(WHITE) < 0 ? text : text.replace(WHITE, ''))
  if (letters === '') throw new CropVlmError('missing_field', '`image` is empty.', { param: 'image' })
  const bytes = Buffer.from(letters, 'base64')
  const isWhole = bytes.length === Math.floor((letters.length * 3) / 4) && letters.length % 4 !== 1
  if (!isWhole || !isAscii(letters)) throw notBase64(whyNot(letters))
  return bytes
}

export function notBase64(why: string): CropVlmError {
  return new CropVlmError('invalid_base64', `\`image\` is not valid base64: ${why}.`)
}

/** Node's decoder (20) takes letters beyond Latin-1 for those of their low byte: U+0141 for A. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length
}

function withoutPadding(text: string): string {
  if (text.endsWith('==')) return text.slice(0, -2)
  return text.endsWith('=') ? text.slice(0, -1) : text
}

/** What the text is instead. */
function whyNot(letters: string): string {
  if (/^b['"]/.test(letters)) return "it is Python's repr of bytes; send base64.b64encode(data).decode()"
  if (/^["']/.test(letters)) return 'it stands in quotation marks'
  if (letters.length < 300 && /\.(?:png|jpe?g|webp|gif|bmp|tiff?)$/i.test(letters))
    return 'it looks like the name of a file; send what is in the file'
  if (/%[0-9a-f]{2}/i.test(letters)) return 'it is percent-encoded, which only a data URL may be'
  const strange = /[^A-Za-z0-9+/=_-]/u.exec(letters)?.[0]
  if (strange !== undefined) return `it holds characters outside A-Z a-z 0-9 + /, such as ${JSON.stringify(strange)}`
  const padding = letters.indexOf('=')
  if (padding >= 0) return `there are ${/[^=]/.test(letters.slice(padding)) ? 'letters' : 'more ='} after its = padding`
  return 'its length is a multiple of 4 and one letter more, so it is cut short'
}
