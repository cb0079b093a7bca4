import sharp from 'sharp'
import t from 'tap'
import { checkImage, readHeader, sniffImage } from '../../src/image/limits.js'
import { jpegHeader, onlyColourWebp, png, webpHeader } from '../support/images/pictures.js'

t.test('sizes of files that sharp writes', async t => {
  const picture = sharp({ create: { width: 321, height: 123, channels: 4, background: '#08f8' } })
  const files = {
    jpeg: [
      picture.clone().jpeg(),
      picture.clone().jpeg({ progressive: true }).keepExif().withMetadata({ orientation: 6 }),
    ],
    png: [picture.clone().png(), picture.clone().png({ palette: true })],
    webp: [picture.clone().webp(), picture.clone().webp({ lossless: true }), picture.clone().flatten().webp()],
  } as const
  for (const kind of ['jpeg', 'png', 'webp'] as const)
    for (const file of files[kind]) {
      const bytes = await file.toBuffer()
      t.equal(sniffImage(bytes), kind)
      t.strictSame(readHeader(bytes, kind), { width: 321, height: 123 })
    }
})

t.test('headers alone, up to the largest sizes', async t => {
  t.strictSame(readHeader(jpegHeader(65_535, 2), 'jpeg'), { width: 65_535, height: 2 })
  t.strictSame(readHeader(webpHeader('VP8 ', 16_383, 3), 'webp'), { width: 16_383, height: 3 })
  t.strictSame(readHeader(webpHeader('VP8L', 16_384, 16_384), 'webp'), { width: 16_384, height: 16_384 })
  t.strictSame(readHeader(webpHeader('VP8X', 1 << 24, 5), 'webp'), { width: 1 << 24, height: 5 })
  t.strictSame(readHeader(png(8, 1), 'png'), { width: 8, height: 1 })
})

t.test('a header cut anywhere, or broken, has no size and never throws', async t => {
  const headers = { jpeg: jpegHeader(5, 5), png: png(5, 5).subarray(0, 24), webp: webpHeader('VP8X', 5, 5) } as const
  for (const kind of ['jpeg', 'png', 'webp'] as const) {
    const whole = headers[kind]
    const cut = kind === 'jpeg' ? whole.length - 11 : whole.length - 1
    for (let length = 0; length <= cut; length++) t.equal(readHeader(whole.subarray(0, length), kind), 'cut')
  }
  t.equal(readHeader(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]), 'jpeg'), 'cut', 'a length of 0')
  t.equal(readHeader(Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0]), 'jpeg'), 'unknown', 'pixels first')
  t.equal(readHeader(jpegHeader(0, 5), 'jpeg'), 'unknown', 'no width')
  t.equal(readHeader(webpHeader('VP8 ', 5, 5).fill('VP9 ', 12, 16), 'webp'), 'unknown', 'another chunk')
  t.equal(readHeader(png(5, 5).fill('CgBI', 12, 16), 'png'), 'unknown', 'another chunk first')
})

t.test('bytes between the segments of a JPEG, fill bytes, and a thumbnail within a segment', async t => {
  const whole = jpegHeader(321, 123)
  const size = { width: 321, height: 123 }
  const [start, rest] = [whole.subarray(0, 2), whole.subarray(2)]
  const frameAt = whole.indexOf(Buffer.from([0xff, 0xff, 0xc2]))
  const between = [[0], [1, 2, 3], Array(18).fill(0), [0xff], [0xff, 0xff, 0xff], [0xff, 0, 0xff, 0, 7], [0xff, 0x01]]
  for (const bytes of between) {
    t.strictSame(readHeader(Buffer.concat([start, Buffer.from(bytes), rest]), 'jpeg'), size, `${bytes} after SOI`)
    const late = [whole.subarray(0, frameAt), Buffer.from(bytes), whole.subarray(frameAt)]
    t.strictSame(readHeader(Buffer.concat(late), 'jpeg'), size, `${bytes} before the frame`)
  }
  const app1 = Buffer.concat([Buffer.from([0xff, 0xe1, 0, 2 + 30]), jpegHeader(9, 9).subarray(300, 330)])
  t.strictSame(readHeader(Buffer.concat([start, app1, rest]), 'jpeg'), size, 'the frame of a thumbnail is not taken')
  t.equal(readHeader(Buffer.concat([start, Buffer.from('ff00'.repeat(5e6), 'hex')]), 'jpeg'), 'unknown', 'no end of it')
})

t.test('a lossless WebP of 28 bytes', async t => {
  const bytes = onlyColourWebp(100, 90)
  t.equal(bytes.length, 28)
  t.strictSame(readHeader(bytes, 'webp'), { width: 100, height: 90 })
  for (let length = 0; length < 25; length++) t.equal(readHeader(bytes.subarray(0, length), 'webp'), 'cut')
})

t.test('what only a decoder can tell is let through; what is too large, or cut, is not', async t => {
  const limits = { maxPixels: 100, maxAspect: 20 }
  t.doesNotThrow(() => checkImage(webpHeader('VP8 ', 5, 5).fill('VP9 ', 12, 16), limits))
  t.doesNotThrow(() => checkImage(png(5, 5), limits))
  t.throws(() => checkImage(png(11, 10), limits), { code: 'image_too_large', message: /11x10/ })
  t.throws(() => checkImage(png(42, 2), limits), { code: 'image_aspect_too_extreme' })
  t.throws(() => checkImage(jpegHeader(5, 5).subarray(0, 40), limits), {
    code: 'image_undecodable',
    param: 'image',
    message: 'The JPEG file is cut short: it ends in its header.',
  })
  t.throws(() => checkImage(Buffer.from('GIF89a'), limits), { code: 'unsupported_image_format' })
})

t.test('what is none of the three', async t => {
  for (const text of ['', '\xff\xd8', 'GIF89a', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'RIFF0000WAVE', '\x89PNG'])
    t.equal(sniffImage(Buffer.from(text, 'latin1')), null, text)
})
