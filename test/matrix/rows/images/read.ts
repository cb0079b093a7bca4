/** Rows 24 to 27 and 29: pictures that have to be read as they are meant. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp, { type Sharp } from 'sharp'
import { ROOT } from '../../../../bench/root.js'
import type { Row } from '../../row.js'
import { flat, pageOf } from '../../world/pictures/page.js'
import { cutDifference, seenBy } from '../../world/pictures/pixels.js'
import { chunksOf, makeChunk, pngOf } from '../../world/pictures/png.js'
import { each, type World } from '../../world/world.js'
import { type Oriented, withOrientation } from './orientation.js'

export const READ: readonly Row[] = [
  {
    number: 24,
    fault: 'EXIF orientation 1-8',
    behaviour: 'box and crop are of the upright picture, in JPEG, PNG and WebP',
    isShort: true,
    run: orientation,
  },
  { number: 25, fault: 'CMYK/Adobe JPEG', behaviour: 'the colours of its inks', isShort: true, run: inks },
  {
    number: 26,
    fault: '16-bit, palette, 1-bit PNG',
    behaviour: 'read as three channels of 8 bits',
    isShort: true,
    run: depths,
  },
  { number: 27, fault: 'alpha', behaviour: 'transparent is white', isShort: true, run: alpha },
  { number: 29, fault: 'animated WebP, APNG', behaviour: 'its first frame', isShort: true, run: animated },
]

async function orientation(world: World): Promise<string> {
  const service = await world.shared()
  const upright = await pageOf(240, 160).png().toBuffer()
  let worst = 0
  const check = async (format: Oriented) => {
    for (let value = 1; value <= 8; value++) {
      const turned = await stored(sharp(upright), value).toFormat(format, { quality: 95 }).toBuffer()
      const { difference, reply } = await cutDifference(service, withOrientation(format, turned, value), upright)
      world.answered(reply)
      assert.deepEqual(reply.body.image, { width: 240, height: 160 }, `orientation ${value}`)
      assert.ok(difference < 6, `orientation ${value}: ${difference.toFixed(1)} grey levels off`)
      worst = Math.max(worst, difference)
    }
    return '8 upright'
  }
  const seen = await each({ jpeg: 'jpeg', png: 'png', webp: 'webp' } as const, check)
  return `${seen}; ${worst.toFixed(1)} grey levels off at most`
}

/** The picture as a camera stores it that writes this orientation (EXIF 2.3, 4.6.4). */
function stored(picture: Sharp, orientation: number): Sharp {
  const isMirrored = [2, 4, 5, 7].includes(orientation)
  const degrees = [0, 0, 0, 180, 180, 270, 270, 90, 90][orientation] ?? 0
  // sharp mirrors before it turns, whatever the order of the calls
  return (isMirrored ? picture.flop() : picture).rotate(degrees)
}

async function inks(world: World): Promise<string> {
  const service = await world.shared()
  const fixture = readFileSync(join(ROOT, 'test/fixtures/images/cmyk.jpg'))
  const { data, channels, width, reply } = await seenBy(service, fixture)
  world.answered(reply)
  const at = (x: number, y: number) => [...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3)]
  // by Pillow 12
  assert.deepEqual(at(4, 4), [220, 30, 30])
  assert.deepEqual(at(24, 4), [127, 107, 87])
  const colours = { red: '#d02020', blue: '#2020d0', white: '#ffffff', black: '#101010' }
  return await each(colours, async colour => {
    const file = await flat(96, 64, colour).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer()
    const { difference } = await cutDifference(service, file, await flat(96, 64, colour).png().toBuffer())
    // sharp makes the inks with a profile of a press, which cannot print all colours
    assert.ok(difference < 40, `${difference.toFixed(1)} grey levels off`)
    return `${difference.toFixed(1)} off`
  })
}

async function depths(world: World): Promise<string> {
  const service = await world.shared()
  const upright = await pageOf(240, 160).png().toBuffer()
  const grey = await sharp(upright).greyscale().png().toBuffer()
  const halves = Buffer.concat(
    Array.from({ length: 64 }, (_, y) => Buffer.from([0, ...Array<number>(8).fill(y < 32 ? 255 : 0)])),
  )
  const twoTone = await sharp(Buffer.alloc(64 * 64, 255).fill(0, 64 * 32), {
    raw: { width: 64, height: 64, channels: 1 },
  })
    .png()
    .toBuffer()
  const files: Record<string, [file: Buffer, meant: Buffer, levels: number]> = {
    '16-bit': [await sharp(upright).toColourspace('rgb16').png().toBuffer(), upright, 2],
    '16-bit grey': [await sharp(grey).toColourspace('grey16').png().toBuffer(), grey, 2],
    palette: [await sharp(upright).png({ palette: true, colours: 64 }).toBuffer(), upright, 8],
    '1-bit': [pngOf({ width: 64, height: 64, bitDepth: 1, data: deflateSync(halves) }), twoTone, 1],
  }
  return await each(files, async ([file, meant, levels]) => {
    const { difference, reply } = await cutDifference(service, file, meant)
    world.answered(reply)
    assert.ok(difference < levels, `${difference.toFixed(1)} grey levels off`)
    return `${difference.toFixed(1)} off`
  })
}

async function alpha(world: World): Promise<string> {
  const service = await world.shared()
  const clear = () =>
    sharp({ create: { width: 80, height: 60, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
  const white = await flat(80, 60, '#ffffff').png().toBuffer()
  const files = {
    PNG: await clear().png().toBuffer(),
    'PNG of 16 bits': await clear().toColourspace('rgb16').png().toBuffer(),
    WebP: await clear().webp({ lossless: true }).toBuffer(),
  }
  return await each(files, async file => {
    const { difference, reply } = await cutDifference(service, file, white)
    world.answered(reply)
    assert.ok(difference < 1, `transparent black is ${difference.toFixed(1)} grey levels from white`)
    return 'white'
  })
}

async function animated(world: World): Promise<string> {
  const service = await world.shared()
  const [first, second] = await Promise.all(['#e02020', '#2040e0'].map(colour => flat(60, 40, colour).png().toBuffer()))
  if (!first || !second) throw new Error('two frames are made')
  const files = {
    webp: await sharp([first, second], { join: { animated: true } })
      .webp({ lossless: true })
      .toBuffer(),
    apng: apng(first, second),
  }
  return await each(files, async file => {
    const { difference, reply } = await cutDifference(service, file, first)
    world.answered(reply)
    assert.deepEqual(reply.body.image, { width: 60, height: 40 })
    assert.ok(difference < 2, `${difference.toFixed(1)} grey levels from the first frame`)
    return 'the first frame'
  })
}

/** Two PNG files of one size as the frames of an animation (PNG, third edition, 11.3.6). */
function apng(first: Buffer, second: Buffer): Buffer {
  const control = (sequence: number) => {
    const data = Buffer.alloc(26)
    data.writeUInt32BE(sequence, 0)
    first.copy(data, 4, 16, 24)
    return makeChunk('fcTL', data)
  }
  const data = (file: Buffer) => Buffer.concat(chunksOf(file).flatMap(one => (one.type === 'IDAT' ? [one.data] : [])))
  const numbered = (sequence: number, bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, sequence]), bytes])
  const end = first.length - 12
  return Buffer.concat([
    first.subarray(0, 33),
    makeChunk('acTL', Buffer.from([0, 0, 0, 2, 0, 0, 0, 0])),
    control(0),
    first.subarray(33, end),
    control(1),
    makeChunk('fdAT', numbered(2, data(second))),
    first.subarray(end),
  ])
}
