import { readFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'
import { openImage, rawSource } from '../../src/image/decode.js'
import { checkImage, readHeader } from '../../src/image/limits.js'
import { isSame } from '../support/images/difference.js'
import { pattern } from '../support/images/patterns.js'
import { onlyColourWebp, segmentAt, withBytes, withProfile, withSegment } from '../support/images/pictures.js'

t.setTimeout(120_000)

const LIMITS = { maxPixels: 50e6, maxAspect: 100 }
const decode = (bytes: Uint8Array, limits = LIMITS) => openImage(bytes, limits).then(source => source.pixels())
const { width, height, data } = pattern('hash', 40, 30)
const rgb = () => sharp(data, { raw: { width, height, channels: 3 } })
const pixel = (image: { width: number; data: Uint8Array }, x: number, y: number) => [
  ...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3),
]
const flat = (channels: 3 | 4, colour: number[], mode?: 'b-w') => {
  const image = sharp(
    Uint8Array.from({ length: 4 * 2 * channels }, (_, i) => colour[i % channels] ?? 0),
    {
      raw: { width: 4, height: 2, channels },
    },
  )
  return mode ? image.toColourspace(mode) : image
}

t.test('PNG and lossless WebP come out as they went in; JPEG nearly', async t => {
  for (const bytes of [await rgb().png().toBuffer(), await rgb().webp({ lossless: true }).toBuffer()])
    t.same(await decode(bytes), { width, height, data: new Uint8Array(data) })
  const jpeg = await decode(await flat(3, [200, 100, 50]).jpeg({ quality: 100 }).toBuffer())
  t.match(jpeg, { width: 4, height: 2 })
  t.ok(pixel(jpeg, 1, 1).every((value, i) => Math.abs(value - ([200, 100, 50][i] ?? 0)) <= 3))
  t.equal(jpeg.data.constructor, Uint8Array, 'not a Buffer: it may cross a process boundary')
})

t.test('alpha is composited on white', async t => {
  t.same(pixel(await decode(await flat(4, [100, 0, 200, 0]).png().toBuffer()), 0, 0), [255, 255, 255])
  t.same(pixel(await decode(await flat(4, [100, 0, 200, 255]).png().toBuffer()), 0, 0), [100, 0, 200])
  const half = pixel(await decode(await flat(4, [100, 0, 200, 128]).png().toBuffer()), 0, 0)
  t.ok(
    half.every((value, i) => Math.abs(value - ([177, 127, 227][i] ?? 0)) <= 1),
    `${half}`,
  )
  const palette = await decode(await flat(4, [10, 200, 30, 0]).png({ palette: true }).toBuffer())
  t.same(pixel(palette, 3, 1), [255, 255, 255])
})

t.test('greyscale and 16 bit become 8-bit RGB', async t => {
  for (const format of ['png', 'jpeg'] as const) {
    const grey = await decode(await flat(3, [90, 90, 90], 'b-w').toFormat(format).toBuffer())
    t.equal(grey.data.length, 4 * 2 * 3)
    t.ok(
      pixel(grey, 2, 1).every(value => Math.abs(value - 90) <= 1),
      `${format} ${pixel(grey, 2, 1)}`,
    )
  }
  const deep = await flat(3, [200, 100, 50]).toColourspace('rgb16').png().toBuffer()
  t.equal((await sharp(deep).metadata()).depth, 'ushort')
  t.same(pixel(await decode(deep), 1, 1), [200, 100, 50])
})

t.test('16-bit grey is scaled to 8 bits', async t => {
  const grey = await sharp(Uint16Array.from([0, 255, 256, 25_700, 32_768, 65_279, 65_280, 65_535]), {
    raw: { width: 8, height: 1, channels: 1 },
  })
    .toColourspace('grey16')
    .png()
    .toBuffer()
  t.match(await sharp(grey).metadata(), { depth: 'ushort', space: 'grey16' })
  const decoded = await decode(grey)
  const values = Array.from({ length: 8 }, (_, x) => pixel(decoded, x, 0))
  t.same(
    values,
    [0, 0, 1, 100, 128, 254, 255, 255].map(value => [value, value, value]),
  )
})

t.test('CMYK becomes what its inks leave of the light, with a profile and lying on its side too', async t => {
  const plain = readFileSync(new URL('../fixtures/images/cmyk.jpg', import.meta.url))
  const { icc } = await sharp(await flat(3, [9, 9, 9]).withIccProfile('cmyk').jpeg().toBuffer()).metadata()
  const files = {
    plain,
    'with a profile': withProfile(plain, icc as Buffer),
    // TIFF, little-endian, one entry: orientation (0x112), a short, 1, 6
    turned: withSegment(
      plain,
      0xe1,
      Buffer.from('457869660000' + '49492a0008000000' + '0100' + '120103000100000006000000' + '00000000', 'hex'),
    ),
  }
  for (const [name, bytes] of Object.entries(files)) {
    const { space, hasProfile, orientation } = await sharp(bytes).metadata()
    t.equal(space, 'cmyk', name)
    t.equal(hasProfile, name === 'with a profile')
    const turned = orientation === 6
    t.equal(turned, name === 'turned')
    const image = await decode(bytes)
    t.match(image, turned ? { width: 16, height: 32 } : { width: 32, height: 16 }, name)
    t.same(
      [pixel(image, 4, 4), turned ? pixel(image, 4, 24) : pixel(image, 24, 4)],
      [
        [220, 30, 30],
        [127, 107, 87],
      ],
      name,
    )
    const small = await (await openImage(bytes, LIMITS)).shrunk({ width: 8, height: 8 })
    t.same(
      [pixel(small, 1, 1), turned ? pixel(small, 1, 6) : pixel(small, 6, 1)],
      [
        [220, 30, 30],
        [127, 107, 87],
      ],
      `${name}, shrunk`,
    )
  }
})

t.test('bytes between the segments of a JPEG, and what follows its end', async t => {
  const whole = await flat(3, [200, 100, 50]).jpeg({ quality: 100 }).toBuffer()
  const expected = await decode(whole)
  const frame = segmentAt(whole, 0xc0)
  const rows: [name: string, bytes: Buffer][] = [
    ['18 before the frame', withBytes(whole, frame, Array(18).fill(0))],
    ['a few after SOI', withBytes(whole, 2, [1, 2, 3])],
    ['fill bytes', withBytes(whole, frame, [0xff, 0xff, 0xff])],
    ['stuffed bytes', withBytes(whole, 2, [0xff, 0, 7])],
    ['another JPEG behind, as in an MPO file', Buffer.concat([whole, await rgb().jpeg().toBuffer()])],
    ['zeros behind', Buffer.concat([whole, Buffer.alloc(99)])],
  ]
  for (const [name, bytes] of rows) {
    checkImage(bytes, LIMITS)
    t.strictSame(await decode(bytes), expected, name)
  }
})

t.test('a lossless WebP of 28 bytes', async t => {
  const image = await decode(onlyColourWebp(100, 90))
  t.match(image, { width: 100, height: 90 })
  t.ok(image.data.every(value => value === 0))
  await t.rejects(decode(onlyColourWebp(16_000, 16_000)), { code: 'image_too_large', message: /16000x16000/ })
})

t.test('a size that only libvips finds is held to the limits before anything is decoded', async t => {
  const whole = await flat(3, [200, 100, 50]).jpeg({ quality: 100 }).toBuffer()
  const hidden = (bytes: Buffer) => withBytes(bytes, 2, Array(11_000).fill([0xff, 0]).flat())
  t.equal(readHeader(hidden(whole), 'jpeg'), 'unknown')
  checkImage(hidden(whole), LIMITS)
  t.strictSame(await decode(hidden(whole)), await decode(whole))
  const huge = Buffer.from(whole)
  huge.writeUInt32BE(20_000 * 65_536 + 20_000, segmentAt(whole, 0xc0) + 5)
  checkImage(hidden(huge), LIMITS)
  await t.rejects(decode(hidden(huge)), { code: 'image_too_large', message: /20000x20000/ })
})

t.test('EXIF orientation is applied before anything else', async t => {
  const corners = new Map([
    [1, [0, 0]],
    [3, [39, 29]],
    [6, [29, 0]],
    [8, [0, 39]],
  ] as const)
  for (const [orientation, [x, y]] of corners) {
    const upright = await decode(await rgb().withMetadata({ orientation }).png().toBuffer())
    t.match(
      upright,
      orientation < 5 ? { width: 40, height: 30 } : { width: 30, height: 40 },
      `orientation ${orientation}`,
    )
    t.same(pixel(upright, x, y), [...data.subarray(0, 3)], 'where the first stored pixel belongs')
  }
})

t.test('an ICC profile does not change pixels', async t => {
  const tagged = await rgb().withIccProfile('p3', { attach: true }).png().toBuffer()
  const stored = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer()
  t.ok((await sharp(tagged).metadata()).icc)
  t.same((await decode(tagged)).data, new Uint8Array(stored))
})

t.test('only the first frame of an animation', async t => {
  const frames = await sharp(data, { raw: { width, height: 30, channels: 3, pageHeight: 15 } })
    .webp({ lossless: true })
    .toBuffer()
  t.equal((await sharp(frames).metadata()).pages, 2)
  const first = await decode(frames)
  t.same(first, { width: 40, height: 15, data: new Uint8Array(data.subarray(0, 40 * 15 * 3)) })
})

/** A black PNG of one bit a pixel. */
function emptyPng(width: number, height: number): Buffer {
  const chunk = (type: string, body: Buffer) => {
    const typed = Buffer.concat([Buffer.from(type), body])
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)]
    length.writeUInt32BE(body.length)
    crc.writeUInt32BE(crc32(typed))
    return Buffer.concat([length, typed, crc])
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 1
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))])
}

t.test('limits are judged from the header', async t => {
  const bytes = await rgb().png().toBuffer()
  await t.rejects(decode(bytes, { maxPixels: 1199, maxAspect: 100 }), {
    code: 'image_too_large',
    param: 'image',
    message: /40x30 pixels/,
  })
  t.ok(await decode(bytes, { maxPixels: 1200, maxAspect: 4 / 3 }))
  await t.rejects(decode(bytes, { maxPixels: 1200, maxAspect: 1.3 }), { code: 'image_aspect_too_extreme' })
  const bomb = emptyPng(20_000, 20_000)
  t.ok(bomb.length < 60_000, `${bomb.length} bytes`)
  await t.rejects(decode(bomb), { code: 'image_too_large', message: /20000x20000 pixels; at most 50 megapixels/ })
})

t.test('other formats are refused by content, whatever libvips could do', async t => {
  const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
  const others = [
    gif,
    svg,
    Buffer.alloc(0),
    Buffer.from('%PDF-1.4'),
    Buffer.from('RIFFxxxxWAVE'),
    await rgb().tiff().toBuffer(),
  ]
  for (const bytes of others) await t.rejects(decode(bytes), { code: 'unsupported_image_format', param: 'image' })
  await t.rejects(sharp(gif).metadata(), 'the loaders themselves are off in this process')
  await t.rejects(sharp(svg).metadata())
})

t.test('damaged images are refused', async t => {
  const jpeg = await sharp(pattern('strokes', 400, 300).data, { raw: { width: 400, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer()
  const png = await rgb().png().toBuffer()
  const webp = await rgb().webp().toBuffer()
  const cut = (bytes: Buffer, share: number) => bytes.subarray(0, Math.floor(bytes.length * share))
  for (const bytes of [
    cut(jpeg, 0.5),
    cut(jpeg, 0.95),
    cut(jpeg, 0.01),
    cut(png, 0.5),
    cut(webp, 0.5),
    png.subarray(0, 8),
  ])
    await t.rejects(decode(bytes), { code: 'image_undecodable', param: 'image' }, `${bytes.length} bytes`)
  await t.rejects(decode(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(500, 7)])), {
    code: 'image_undecodable',
  })
})

t.test('a source tells the upright size before it decodes, and decodes once', async t => {
  const source = await openImage(await rgb().withMetadata({ orientation: 6 }).jpeg().toBuffer(), LIMITS)
  t.same([source.width, source.height], [30, 40])
  t.match(await source.pixels(), { width: 30, height: 40 })
  t.equal(await source.pixels(), await source.pixels())
  const whole = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer()
  const cut = await openImage(whole.subarray(0, whole.length - 200), LIMITS)
  t.match(cut, { width, height }, 'the header is sound')
  await t.rejects(cut.shrunk({ width: 10, height: 8 }), { code: 'image_undecodable', param: 'image' })
  await t.rejects(cut.pixels(), { code: 'image_undecodable', param: 'image' })
})

t.test('shrinking a file gives the same pixels as shrinking what was decoded of it', async t => {
  const strokes = pattern('strokes', 900, 620)
  const colours = () => sharp(strokes.data, { raw: { width: 900, height: 620, channels: 3 } })
  const mask = Buffer.from(Uint8Array.from({ length: 900 * 620 }, (_, i) => (i * 7) >> 4))
  const veiled = () => colours().joinChannel(mask, { raw: { width: 900, height: 620, channels: 1 } })
  for (const [name, file] of [
    ['JPEG, which its decoder could scale', colours().jpeg()],
    ['WebP, likewise', colours().webp()],
    ['CMYK', colours().toColourspace('cmyk').jpeg()],
    ['alpha', veiled().png()],
    ['greyscale', colours().greyscale().jpeg()],
    ['16 bit', colours().toColourspace('rgb16').png()],
    ['lying on its side', colours().withMetadata({ orientation: 6 }).jpeg()],
    ['mirrored too', colours().withMetadata({ orientation: 5 }).webp()],
  ] as const) {
    const bytes = await file.toBuffer()
    const decoded = await decode(bytes)
    for (const factor of [1.5, 4.5, 9]) {
      const size = { width: Math.round(decoded.width / factor), height: Math.round(decoded.height / factor) }
      const source = await openImage(bytes, LIMITS)
      const early = await source.shrunk(size)
      t.match(early, size)
      t.ok(isSame(early, await rawSource(decoded).shrunk(size)), `${name}, by ${factor}`)
      await source.pixels()
      t.ok(isSame(await source.shrunk(size), early), 'whether it was decoded before or not')
    }
  }
})
