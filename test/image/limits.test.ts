import sharp from 'sharp'
import t from 'tap'
import { imageSize, sniffImage } from '../../src/image/limits.js'
import { jpegHeader, png, webpHeader } from '../support/images/pictures.js'

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
      t.strictSame(imageSize(bytes, kind), { width: 321, height: 123 })
    }
})

t.test('headers alone, up to the largest sizes', async t => {
  t.strictSame(imageSize(jpegHeader(65_535, 2), 'jpeg'), { width: 65_535, height: 2 })
  t.strictSame(imageSize(webpHeader('VP8 ', 16_383, 3), 'webp'), { width: 16_383, height: 3 })
  t.strictSame(imageSize(webpHeader('VP8L', 16_384, 16_384), 'webp'), { width: 16_384, height: 16_384 })
  t.strictSame(imageSize(webpHeader('VP8X', 1 << 24, 5), 'webp'), { width: 1 << 24, height: 5 })
  t.strictSame(imageSize(png(8, 1), 'png'), { width: 8, height: 1 })
})

t.test('a header cut anywhere, or broken, has no size and never throws', async t => {
  const headers = { jpeg: jpegHeader(5, 5), png: png(5, 5).subarray(0, 24), webp: webpHeader('VP8X', 5, 5) } as const
  for (const kind of ['jpeg', 'png', 'webp'] as const) {
    const whole = headers[kind]
    const cut = kind === 'jpeg' ? whole.length - 11 : whole.length - 1
    for (let length = 0; length <= cut; length++) t.equal(imageSize(whole.subarray(0, length), kind), null)
  }
  t.equal(imageSize(Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]), 'jpeg'), null, 'a length of 0')
  t.equal(imageSize(Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0]), 'jpeg'), null, 'pixels first')
  t.equal(imageSize(jpegHeader(0, 5), 'jpeg'), null, 'no width')
  t.equal(imageSize(webpHeader('VP8 ', 5, 5).fill('VP9 ', 12, 16), 'webp'), null, 'another chunk')
})

t.test('what is none of the three', async t => {
  for (const text of ['', '\xff\xd8', 'GIF89a', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'RIFF0000WAVE', '\x89PNG'])
    t.equal(sniffImage(Buffer.from(text, 'latin1')), null, text)
})
