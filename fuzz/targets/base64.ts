/** `decodeBase64` against the algorithm of the WHATWG's Infra standard, done letter by letter. */
import assert from 'node:assert/strict'
import { decodeBase64 } from '../../src/http/request/base64.js'
import { orCoded, type Target } from '../target.js'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

export const target: Target = {
  isSync: true,
  maxLength: 4096,
  maxMs: 100,
  run(input) {
    if (input.length > 0) {
      assert.deepEqual(decodeBase64(input.toString('base64')), input)
      assert.deepEqual(decodeBase64(input.toString('base64url')), input)
    }
    // letters of one byte, and of two
    for (const text of [input.toString('utf8'), input.toString('latin1'), input.toString('utf16le')]) {
      const decoded = orCoded(['missing_field', 'invalid_base64'], () => decodeBase64(text))
      const expected = reference(text)
      if (expected === null || expected.length === 0) assert.ok('error' in decoded, 'was taken for base64')
      else assert.ok('value' in decoded && decoded.value.equals(expected), 'was decoded to something else')
    }
  },
}

/** Forgiving base64, with the letters of the URL alphabet besides; null where the text is none. */
function reference(text: string): Buffer | null {
  const letters = text
    .replace(/[\t\n\f\r ]/g, '')
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  if (letters.length % 4 === 1) return null
  const bytes: number[] = []
  let [held, bits] = [0, 0]
  for (const letter of letters) {
    const value = LETTERS.indexOf(letter)
    if (value < 0) return null
    held = (held << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >> bits) & 0xff)
    held &= (1 << bits) - 1
  }
  return Buffer.from(bytes)
}
