/** Bodies that come compressed: they are read so that their images can be zoomed. */
import { Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'

/** What unpacks each coding, by its name in `Content-Encoding`. `deflate` is commonly sent without zlib's own head, too. */
const DECODERS: Readonly<Record<string, (body: Buffer) => Transform>> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: body => (hasZlibHead(body) ? zlib.createInflate() : zlib.createInflateRaw()),
  br: () => zlib.createBrotliDecompress(),
  ...zstd(),
}

/** Whether bodies of this `Content-Encoding` can be read here; one of several codings cannot. */
export function isReadable(encoding: string): boolean {
  return Object.hasOwn(DECODERS, normal(encoding))
}

/**
 * The body without its coding.
 * @param hold Is told of each piece, before it is kept, how many bytes more that makes. It may throw.
 * @returns null where the bytes are not of that coding
 * @throws what `hold` throws
 */
export async function decode(body: Buffer, encoding: string, hold: (bytes: number) => void): Promise<Buffer | null> {
  const decoder = isReadable(encoding) ? DECODERS[normal(encoding)]?.(body) : undefined
  if (!decoder) return null
  const chunks: Buffer[] = []
  const pieces = Readable.from([body])
    .on('error', error => decoder.destroy(error))
    .pipe(decoder)
  const iterator = pieces[Symbol.asyncIterator]()
  for (;;) {
    const next = await iterator.next().catch(() => null)
    if (next === null) return null
    if (next.done) return Buffer.concat(chunks)
    try {
      hold(next.value.length)
    } catch (error) {
      decoder.destroy()
      throw error
    }
    chunks.push(next.value)
  }
}

function normal(encoding: string): string {
  return encoding.trim().toLowerCase()
}

/** RFC 1950: the method deflate, and a checksum of the two bytes. */
function hasZlibHead(body: Buffer): boolean {
  return body.length >= 2 && ((body[0] ?? 0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0
}

/** Node has it from 22.15 on. */
function zstd(): Record<string, (body: Buffer) => Transform> {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform }
  return createZstdDecompress ? { zstd: createZstdDecompress } : {}
}
