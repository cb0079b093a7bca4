/** What real clients send, through the whole service: the engine's process, libvips, and the text reader. */

import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import sharp from 'sharp'
import t from 'tap'
import { onlyColourWebp, segmentAt, withBytes } from '../support/images/pictures.js'
import { startReal, tinyModel } from '../support/real.js'

const MODELS = { CROPPER_MODEL: tinyModel('tiny-box'), LOCAL_TARGET_MODEL: tinyModel('tiny-hub') }
const { url, engine } = await startReal(t, MODELS)

interface Reply {
  bbox: number[]
  raw: string
  answer: string
  image: { width: number; height: number }
  crop: { data: string }
  overlay: { data: string }
  error?: { code: string; message: string }
}

async function ask(path: string, body: Record<string, unknown>): Promise<{ status: number; body: Reply }> {
  const reply = await fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  return { status: reply.status, body: (await reply.json()) as Reply }
}

/** Red, green and blue of one pixel of a picture of a reply. */
async function pixelOf(picture: { data: string }, x: number, y: number): Promise<number[]> {
  const { data, info } = await sharp(Buffer.from(picture.data, 'base64')).raw().toBuffer({ resolveWithObject: true })
  return [...data.subarray((y * info.width + x) * info.channels, (y * info.width + x) * info.channels + 3)]
}

const photo = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#dc1e1e' } })
  .jpeg({ quality: 100 })
  .toBuffer()

t.test('files whose header is odd are opened, at the size that libvips finds', async t => {
  const rows: [name: string, file: Buffer, width: number, height: number][] = [
    ['18 bytes before a marker', withBytes(photo, segmentAt(photo, 0xc0), Array(18).fill(0)), 400, 300],
    ['a lossless WebP of 28 bytes', onlyColourWebp(100, 100), 100, 100],
    ['a size only libvips finds', withBytes(photo, 2, Array(11_000).fill([0xff, 0]).flat()), 400, 300],
    ['another JPEG behind, as in an MPO file', Buffer.concat([photo, photo]), 400, 300],
    ['progressive', await sharp(photo).jpeg({ progressive: true }).toBuffer(), 400, 300],
    ['16-bit grey', await sharp(photo).greyscale().toColourspace('grey16').png().toBuffer(), 400, 300],
  ]
  for (const [name, file, width, height] of rows) {
    const { status, body } = await ask('/crop', { image: file.toString('base64'), question: 'Where?', zoom: 'never' })
    t.equal(status, 200, `${name}: ${body.error?.message}`)
    t.same(body.image, { width, height }, name)
  }
  for (const file of [photo.subarray(0, 100), Buffer.concat([photo.subarray(0, 2), Buffer.from([0xff, 0xd9, 0, 0])])]) {
    const { status, body } = await ask('/crop', { image: file.toString('base64'), question: 'Where?' })
    t.equal(status, 422)
    t.equal(body.error?.code, 'image_undecodable')
  }
  t.equal(engine.restarts, 0)
})

t.test('a CMYK file has the colours of its inks in the crop and in the overlay', async t => {
  const image = readFileSync(new URL('../fixtures/images/cmyk.jpg', import.meta.url)).toString('base64')
  const shared = { image, question: 'Where?', zoom: 'never', format: 'png' }
  const crop = await ask('/crop', { ...shared, return: 'crop' })
  t.same(await pixelOf(crop.body.crop, 4, 4), [220, 30, 30])
  t.same(await pixelOf(crop.body.crop, 24, 4), [127, 107, 87])
  const overlay = await ask('/crop', { ...shared, return: 'overlay' })
  t.same(await pixelOf(overlay.body.overlay, 8, 8), [220, 30, 30])
  t.same(await pixelOf(overlay.body.overlay, 24, 8), [127, 107, 87])
})

t.test('white space of a question changes neither box nor answer', async t => {
  const image = readFileSync(new URL('../../docs/example.png', import.meta.url)).toString('base64')
  const plain = await ask('/answer', { image, question: 'What is the total?', max_tokens: 6 })
  t.equal(plain.status, 200)
  for (const question of [
    'What is the total?\n',
    ' \t What is\r\nthe  total? ',
    '\ufeffWhat\u00a0is the\u3000total?\u200b\u0085',
  ]) {
    const other = await ask('/answer', { image, question, max_tokens: 6 })
    t.same(other.body.bbox, plain.body.bbox, JSON.stringify(question))
    t.equal(other.body.raw, plain.body.raw)
    t.equal(other.body.answer, plain.body.answer)
  }
  for (const question of ['', '\n', '\u200b', '\x1c\u0085\ufeff']) {
    const { status, body } = await ask('/answer', { image, question })
    t.equal(status, 400, JSON.stringify(question))
    t.match(body.error, { code: 'missing_field', message: '`question` is empty.' })
  }
})

t.test('a client that closes its half of the connection gets its box', async t => {
  const body = JSON.stringify({ image: photo.toString('base64'), question: 'Where?' })
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true })
  socket.end(
    `POST /crop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk)
  t.match(String(Buffer.concat(chunks)), /^HTTP\/1\.1 200 OK\r\n[\s\S]*"object":"crop"/)
})
