/** The header reader against the decoder: what the one refuses the other cannot open, and both see one size. */
import assert from 'node:assert/strict'
import { openImage } from '../../src/image/decode.js'
import { checkImage, type ImageLimits, readHeader, sniffImage } from '../../src/image/limits.js'
import { orCoded, orCodedLater, type Target } from '../target.js'

const LIMITS: ImageLimits = { maxPixels: 1_000_000, maxAspect: 50 }
const NO_LIMITS: ImageLimits = { maxPixels: Number.POSITIVE_INFINITY, maxAspect: Number.POSITIVE_INFINITY }
/** Larger pictures are opened, but not decoded. */
const MAX_DECODED = 128 * 128

const WORDS = [
  'IHDR',
  'IDAT',
  'PLTE',
  'tRNS',
  'VP8 ',
  'VP8L',
  'VP8X',
  'ALPH',
  'ANIM',
  'ANMF',
  'EXIF',
  '\xff\xc0',
  '\xff\xda',
  '\xff\xe1',
  'Exif\0\0',
]

export const target: Target = {
  isSync: false,
  maxLength: 8192,
  maxMs: 1000,
  words: WORDS,
  async run(input) {
    const kind = sniffImage(input)
    const header = kind === null ? 'unknown' : readHeader(input, kind)
    const checked = orCoded(
      ['unsupported_image_format', 'image_undecodable', 'image_too_large', 'image_aspect_too_extreme'],
      () => checkImage(input, LIMITS),
    )
    const opened = await orCodedLater(['unsupported_image_format', 'image_undecodable'], () =>
      openImage(input, NO_LIMITS),
    )
    if (kind === null) {
      for (const outcome of [checked, opened])
        assert.equal('error' in outcome && outcome.error.code, 'unsupported_image_format')
      return
    }
    if ('error' in opened) return
    const { width, height } = opened.value
    assert.notEqual(header, 'cut', 'was said to be cut short, and can be opened')
    // EXIF may turn it
    if (typeof header !== 'string')
      assert.deepEqual([header.width, header.height].sort(byValue), [width, height].sort(byValue))
    if ('error' in checked) assert.ok(width * height > LIMITS.maxPixels || isLong(width, height), checked.error.message)
    if (width * height > MAX_DECODED) return
    const decoded = await orCodedLater(['image_undecodable'], () => opened.value.pixels())
    if ('error' in decoded) return
    assert.deepEqual([decoded.value.width, decoded.value.height], [width, height])
    assert.equal(decoded.value.data.length, width * height * 3)
  },
}

function isLong(width: number, height: number): boolean {
  return Math.max(width, height) > LIMITS.maxAspect * Math.min(width, height)
}

function byValue(one: number, other: number): number {
  return one - other
}
