/** Rows 16 to 20 and 31: sizes that a header tells, and channels. */
import assert from 'node:assert/strict'
import { jpegHeader, png, webpHeader } from '../../../support/images/pictures.js'
import type { Row } from '../../row.js'
import { flat } from '../../world/pictures/page.js'
import { engineProcesses, memoryMb } from '../../world/proc.js'
import { each, type World } from '../../world/world.js'

/** What the header of a picture may cost. */
const HEADER_MS = 50
const HEADER_MB = 30

export const SIZES: readonly Row[] = [
  {
    number: 16,
    fault: 'PNG 20000^2 of 49 KB',
    behaviour: '413 `image_too_large` within 50 ms, nothing is decoded or allocated',
    isShort: true,
    run: async world => unseen(world, { '20000 x 20000': png(20_000, 20_000) }),
  },
  {
    number: 17,
    fault: 'header-only 65500^2',
    behaviour: '413 `image_too_large` within 50 ms',
    isShort: true,
    run: async world =>
      unseen(world, {
        JPEG: jpegHeader(65_500, 65_500),
        PNG: pngOfSize(65_500, 65_500),
        'PNG of 2^31 - 1': pngOfSize(0x7f_ff_ff_ff, 0x7f_ff_ff_ff),
        'lossy WebP': webpHeader('VP8 ', 16_383, 16_383),
        'extended WebP': webpHeader('VP8X', 65_500, 65_500),
      }),
  },
  {
    number: 18,
    fault: '200000x1',
    behaviour: '413 `image_aspect_too_extreme`',
    isShort: true,
    run: strips,
  },
  { number: 19, fault: '1x1', behaviour: 'a box of the whole picture', isShort: true, run: onePixel },
  { number: 20, fault: '0x0', behaviour: '422 `image_undecodable`', isShort: true, run: noPixel },
  {
    number: 31,
    fault: 'over 5 channels',
    behaviour: '422 `image_undecodable`',
    isShort: true,
    run: channels,
  },
]

async function unseen(world: World, files: Readonly<Record<string, Buffer>>): Promise<string> {
  const service = await world.shared()
  const processes = [service.pid, ...engineProcesses(service.pid)]
  const before = processes.map(pid => memoryMb(pid))
  return await each(files, async file => {
    let reply = await service.crop(file)
    // a collection of garbage may fall into the first
    for (let i = 0; i < 3 && reply.ms > HEADER_MS; i++) reply = await service.crop(file)
    const seen = world.refused(reply, '413 image_too_large', HEADER_MS)
    const most = Math.max(...processes.map((pid, i) => memoryMb(pid) - (before[i] ?? 0)))
    assert.ok(most < HEADER_MB, `a process took ${Math.round(most)} MiB`)
    return `${seen}, ${file.length} bytes`
  })
}

async function strips(world: World): Promise<string> {
  const service = await world.shared()
  const files = { 'lying PNG': png(200_000, 1), 'standing PNG': png(1, 200_000), JPEG: jpegHeader(60_000, 20) }
  return await each(files, async file => world.refused(await service.crop(file), '413 image_aspect_too_extreme'))
}

async function onePixel(world: World): Promise<string> {
  const service = await world.shared()
  return await each({ jpeg: 'jpeg', png: 'png', webp: 'webp' } as const, async format => {
    const reply = await service.crop(await flat(1, 1).toFormat(format).toBuffer(), { return: 'crop' })
    const seen = world.answered(reply)
    assert.deepEqual(reply.body.bbox_pixels, [0, 0, 1, 1])
    assert.deepEqual(reply.body.image, { width: 1, height: 1 })
    return seen
  })
}

async function noPixel(world: World): Promise<string> {
  const service = await world.shared()
  const files = {
    PNG: pngOfSize(0, 0),
    'PNG without width': pngOfSize(0, 9),
    'PNG without height': pngOfSize(9, 0),
    JPEG: jpegHeader(0, 0),
    'JPEG without height': jpegHeader(9, 0),
  }
  return await each(files, async file => world.refused(await service.crop(file), '422 image_undecodable'))
}

async function channels(world: World): Promise<string> {
  const service = await world.shared()
  const counts = { five: 5, six: 6, twenty: 20, eighty: 80 }
  return await each(counts, async count => world.refused(await service.crop(frame(count)), '422 image_undecodable'))
}

/** A PNG that says a size in its header, and has nothing else that is right. */
function pngOfSize(width: number, height: number): Buffer {
  const file = png(1, 1)
  file.writeUInt32BE(width, 16)
  file.writeUInt32BE(height, 20)
  return file
}

/** A baseline JPEG of 64 x 64 with a frame header of so many channels. */
function frame(channels: number): Buffer {
  const header = Buffer.from([0xff, 0xc0, 0, 0, 8, 0, 64, 0, 64, channels])
  header.writeUInt16BE(8 + 3 * channels, 2)
  const each = Array.from({ length: channels }, (_, i) => [i + 1, 0x11, 0]).flat()
  return Buffer.concat([Buffer.from([0xff, 0xd8]), header, Buffer.from(each), Buffer.from([0xff, 0xd9])])
}
