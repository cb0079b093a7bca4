/** Rows 7, 9 and 10: what stands for the bytes. */
import assert from 'node:assert/strict'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import type { Row } from '../../row.js'
import { QUESTION } from '../../world/client.js'
import { frugal } from '../../world/frugal.js'
import { page } from '../../world/pictures/page.js'
import { memoryMb } from '../../world/proc.js'
import { each, type World } from '../../world/world.js'

const MIB = 1 << 20

export const ENCODING: readonly Row[] = [
  {
    number: 7,
    fault: 'gzip request body',
    behaviour: '415 `unsupported_content_type`, nothing is inflated (under `/v1` it is, within the limit of a body)',
    isShort: true,
    run: compressed,
  },
  {
    number: 9,
    fault: 'bad base64',
    behaviour: '400 `invalid_base64`; line breaks, spaces, URL-safe letters and missing padding are no fault',
    isShort: true,
    run: base64,
  },
  {
    number: 10,
    fault: 'data URL with the wrong type',
    behaviour: 'the bytes decide: a box, or 415',
    isShort: true,
    run: wrongType,
  },
]

async function compressed(world: World): Promise<string> {
  const service = await world.shared()
  const before = memoryMb(service.pid)
  const bodies = {
    gzip: gzipSync(Buffer.alloc(world.times(100, 20) * MIB, 65)),
    br: brotliCompressSync('{"question": "q"}'),
    deflate: deflateSync('{"question": "q"}'),
  }
  const seen = await each(bodies, async (body, encoding) =>
    world.refused(
      await service.json(body, { headers: { 'content-encoding': encoding } }),
      '415 unsupported_content_type',
    ),
  )
  return `${seen}; ${frugal(service.pid, before)}`
}

async function base64(world: World): Promise<string> {
  const service = await world.shared()
  const good = (await page()).toString('base64')
  const at = (index: number, letter: string) => `${good.slice(0, index)}${letter}${good.slice(index)}`
  const texts = {
    'marks alone': '?!?!?!',
    'a mark at the start': at(8, '!'),
    'a mark near the end': at(good.length - 100, '*'),
    'padding within': at(8, '='),
    'one letter alone at the end': `${good.replace(/=*$/, '').slice(0, -(good.replace(/=*$/, '').length % 4) || undefined)}A`,
    'a space that is none': at(40, '\u00a0'),
    'a name of a file': '/home/me/page.png',
  }
  const bad = await each(texts, async image =>
    world.refused(await service.json({ image, question: QUESTION }), '400 invalid_base64'),
  )
  const forgiven = await service.json({ image: at(400, '\r\n').replaceAll('=', ''), question: QUESTION })
  return `${bad}; in lines, without padding: ${world.answered(forgiven)}`
}

async function wrongType(world: World): Promise<string> {
  const service = await world.shared()
  const url = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString('base64')}`
  const jpeg = await page('jpeg')
  const names = ['image/gif', 'image/svg+xml', 'text/html', 'application/octet-stream']
  const plain = await service.crop(jpeg)
  const boxes = await each(Object.fromEntries(names.map(name => [name, name])), async type => {
    const reply = await service.json({ image: url(type, jpeg), question: QUESTION })
    const seen = world.answered(reply)
    assert.deepEqual(reply.body.bbox, plain.body.bbox, 'another box than by its own name')
    return seen
  })
  const text = await service.json({ image: url('image/png', Buffer.from('no picture')), question: QUESTION })
  return `a JPEG as ${boxes}; a text as image/png: ${world.refused(text, '415 unsupported_image_format')}`
}
