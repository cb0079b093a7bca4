import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { decode, isReadable } from '../../src/proxy/decode.js'

const TEXT = Buffer.from(JSON.stringify({ messages: 'x'.repeat(100_000) }))

t.test('each coding is unpacked, piece by piece', async t => {
  for (const [encoding, packed] of [
    ['gzip', gzipSync(TEXT)],
    [' GZip ', gzipSync(TEXT)],
    ['x-gzip', gzipSync(TEXT)],
    ['deflate', deflateSync(TEXT)],
    ['deflate', deflateRawSync(TEXT)],
    ['br', brotliCompressSync(TEXT)],
  ] as const) {
    const sizes: number[] = []
    t.ok(isReadable(encoding), encoding)
    t.ok((await decode(packed, encoding, bytes => sizes.push(bytes)))?.equals(TEXT), encoding)
    t.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      TEXT.length,
    )
  }
})

t.test('what is not of the coding, and codings that are not known', async t => {
  for (const encoding of ['gzip', 'deflate', 'br']) {
    t.equal(await decode(TEXT, encoding, () => {}), null, encoding)
    t.equal(await decode(gzipSync(TEXT).subarray(0, 40), encoding, () => {}), null, `${encoding}, cut short`)
  }
  for (const encoding of ['', 'compress', 'gzip, br', 'constructor']) {
    t.notOk(isReadable(encoding), encoding)
    t.equal(await decode(TEXT, encoding, () => {}), null, encoding)
  }
})

t.test('it ends as soon as there is no more room', async t => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
  let held = 0
  const full = new Error('full')
  const hold = (bytes: number) => {
    held += bytes
    if (held > 1_000_000) throw full
  }
  await t.rejects(decode(bomb, 'gzip', hold), full)
  t.ok(held < 1_100_000, `${held}`)
})
