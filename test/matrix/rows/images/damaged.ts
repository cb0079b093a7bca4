/** Rows 15, 21 to 23, 28 and 30: pictures that were cut, bent, or carry what is no picture. */
import assert from 'node:assert/strict'
import { deflateSync } from 'node:zlib'
import { segmentAt, withBytes, withProfile, withSegment } from '../../../support/images/pictures.js'
import { seeded } from '../../../support/scripted.js'
import type { Row } from '../../row.js'
import { flat, page, pageOf } from '../../world/pictures/page.js'
import { chunksOf, makeChunk, pngOf } from '../../world/pictures/png.js'
import { each, type World } from '../../world/world.js'

const BROKEN = '422 image_undecodable'

export const DAMAGED: readonly Row[] = [
  {
    number: 15,
    fault: 'polyglot with trailing ZIP',
    behaviour: 'the box of the picture alone, the rest is ignored',
    isShort: true,
    run: polyglot,
  },
  {
    number: 21,
    fault: 'JPEG truncated at 50 / 99 %',
    behaviour: '422 `image_undecodable`, wherever it was cut; PNG and WebP too',
    isShort: true,
    run: cut,
  },
  {
    number: 22,
    fault: 'bit-flipped JPEG',
    behaviour: 'a box, or 413, 415 or 422, never 5xx',
    isShort: true,
    run: flipped,
  },
  { number: 23, fault: 'bad PNG CRC or zlib', behaviour: '422 `image_undecodable`', isShort: true, run: badPng },
  {
    number: 28,
    fault: 'corrupt or huge ICC, EXIF',
    behaviour: 'ignored: a box; or 422 `image_undecodable`',
    isShort: true,
    run: metadata,
  },
  {
    number: 30,
    fault: 'progressive JPEG with thousands of scans',
    behaviour: '422 `image_undecodable` within 3 s',
    isShort: true,
    run: scans,
  },
]

async function polyglot(world: World): Promise<string> {
  const service = await world.shared()
  const zip = Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(26), Buffer.from('PK\x05\x06'), Buffer.alloc(18)])
  return await each({ jpeg: 'jpeg', png: 'png', webp: 'webp' } as const, async format => {
    const file = await page(format)
    const [alone, reply] = [await service.crop(file), await service.crop(Buffer.concat([file, zip]))]
    assert.deepEqual(reply.body.bbox, alone.body.bbox, 'another box than without the ZIP')
    return world.answered(reply)
  })
}

async function cut(world: World): Promise<string> {
  const service = await world.shared()
  const parts = [0.02, 0.5, 0.9, 0.99]
  return await each({ jpeg: 'jpeg', png: 'png', webp: 'webp' } as const, async format => {
    const file = await page(format)
    for (const part of parts) world.refused(await service.crop(file.subarray(0, file.length * part)), BROKEN)
    return `${BROKEN} after ${parts.map(part => `${100 * part} %`).join(', ')}`
  })
}

async function flipped(world: World): Promise<string> {
  const service = await world.shared()
  const random = seeded(22)
  const files = [await page('jpeg'), await pageOf(90, 70).jpeg().toBuffer(), await flat(64, 64).jpeg().toBuffer()]
  const counts = new Map<string, number>()
  for (let i = 0; i < world.times(300, 40); i++) {
    const bytes = Buffer.from(files[i % files.length] as Buffer)
    for (let bit = 0; bit <= i % 6; bit++) {
      const at = 2 + Math.floor(random() * (bytes.length - 2))
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8))
    }
    // most go without a reader, which would take most of the time
    const reply = await service.crop(bytes, i % 10 === 0 ? {} : { zoom: 'never', return: 'crop' })
    const what = reply.status === 200 ? '200' : `${reply.status} ${reply.body.error?.code}`
    if (reply.status === 200) world.answered(reply)
    else
      world.refused(reply, [
        '413 image_too_large',
        '413 image_aspect_too_extreme',
        '415 unsupported_image_format',
        BROKEN,
      ])
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].map(([what, count]) => `${what}: ${count}`).join(', ')
}

async function badPng(world: World): Promise<string> {
  const service = await world.shared()
  const file = await page('png')
  const chunks = chunksOf(file)
  const spoilt = (type: string, at: (start: number, end: number) => number) => {
    const bytes = Buffer.from(file)
    const { start = 0, end = 0 } = chunks.find(one => one.type === type) ?? {}
    bytes[at(start, end)] = (bytes[at(start, end)] as number) ^ 0x55
    return bytes
  }
  const rows = Buffer.alloc(40 * (1 + 60), 7).fill(0, 0, 1)
  const packed = deflateSync(Buffer.from(rows.map((value, i) => (i % 61 === 0 ? 0 : value))))
  const badSum = Buffer.from(packed)
  badSum[badSum.length - 1] = (badSum.at(-1) as number) ^ 1
  const grey = (data: Buffer) => pngOf({ width: 60, height: 40, data })
  const files = {
    'CRC of IHDR': spoilt('IHDR', (_, end) => end - 1),
    'CRC of IDAT': spoilt('IDAT', (_, end) => end - 1),
    'a byte of IDAT': spoilt('IDAT', start => start + 300),
    'the sum of zlib': grey(badSum),
    'no zlib': grey(Buffer.from('these are no rows')),
    'half of the rows': grey(deflateSync(rows.subarray(0, rows.length >> 1))),
    'no IDAT': Buffer.concat([file.subarray(0, 33), makeChunk('IEND', Buffer.alloc(0))]),
  }
  world.answered(await service.crop(grey(packed)))
  return await each(files, async bytes => world.refused(await service.crop(bytes), BROKEN))
}

async function metadata(world: World): Promise<string> {
  const service = await world.shared()
  const [jpeg, png] = [await page('jpeg'), await page('png')]
  const exif = (bytes: Buffer) => withSegment(jpeg, 0xe1, Buffer.concat([Buffer.from('Exif\0\0'), bytes]))
  const inPng = (type: string, data: Buffer) =>
    Buffer.concat([png.subarray(0, 33), makeChunk(type, data), png.subarray(33)])
  const named = (bytes: number) => Buffer.concat([Buffer.from('x\0\0'), deflateSync(Buffer.alloc(bytes))])
  // a directory of EXIF whose next one is itself
  const loop = Buffer.from('49492a000800000001001201030001000000010000000800000000', 'hex')
  const files = {
    'ICC of noise': withProfile(jpeg, Buffer.from('no profile')),
    'ICC of 15 MB': withProfile(jpeg, Buffer.alloc(15e6, 1)),
    'ICC with a part missing': withSegment(jpeg, 0xe2, Buffer.from('ICC_PROFILE\0\x02\x05abcdef', 'latin1')),
    'EXIF that leads to itself': exif(loop),
    'EXIF of noise': exif(Buffer.alloc(60_000, 0xa5)),
    'orientation 9': exif(Buffer.from('49492a00080000000100120103000100000009000000000000000000', 'hex')),
    'iCCP of 30 MB': inPng('iCCP', named(30e6)),
    'zTXt of 200 MB': inPng('zTXt', named(world.times(200e6, 40e6))),
    'eXIf of noise': inPng('eXIf', Buffer.alloc(5000, 0xa5)),
    'fill bytes': withBytes(jpeg, segmentAt(jpeg, 0xdb), Array<number>(5000).fill(0xff)),
  }
  return await each(files, async file => {
    const reply = await service.crop(file)
    return reply.status === 200 ? world.answered(reply, 3000) : world.refused(reply, BROKEN, 3000)
  })
}

/** A picture of one colour whose last scan is repeated: little to send, and each scan is a pass over all of it. */
async function scans(world: World): Promise<string> {
  const service = await world.shared()
  const sizes: Record<string, [edge: number, scans: number]> =
    world.form === 'short' ? { '800 x 800': [800, 3000] } : { '2000 x 2000': [2000, 5000], '6000 x 6000': [6000, 3000] }
  return await each(sizes, async ([edge, count]) => {
    const file = await flat(edge, edge).greyscale().jpeg({ progressive: true, quality: 50 }).toBuffer()
    // an AC scan of the only component without a single byte of data
    const scan = Buffer.from([0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0])
    const bytes = Buffer.concat([file.subarray(0, -2), ...Array<Buffer>(count).fill(scan), file.subarray(-2)])
    const seen = world.refused(await service.crop(bytes), BROKEN, 3000)
    return `${count} scans in ${Math.round(bytes.length / 1024)} KiB: ${seen}`
  })
}
