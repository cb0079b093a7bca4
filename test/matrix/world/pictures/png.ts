/** PNG files chunk by chunk. */
import { crc32 } from 'node:zlib'

interface Chunk {
  type: string
  /** Where its content begins in the file. */
  start: number
  /** Where the chunk ends, its CRC included. */
  end: number
  data: Buffer
}

export function chunksOf(file: Buffer): Chunk[] {
  const chunks: Chunk[] = []
  for (let at = 8; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at)
    const [start, end] = [at + 8, at + 12 + length]
    chunks.push({ type: file.toString('latin1', at + 4, start), start, end, data: file.subarray(start, end - 4) })
    at = end
  }
  return chunks
}

export function makeChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const chunk = Buffer.alloc(body.length + 8)
  chunk.writeUInt32BE(data.length, 0)
  body.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(body), body.length + 4)
  return chunk
}

interface Parts {
  width: number
  height: number
  bitDepth?: number
  /** PNG's number of it. Default: 0, grey. */
  colourType?: number
  /** What IDAT holds. */
  data: Buffer
}

export function pngOf({ width, height, bitDepth = 8, colourType = 0, data }: Parts): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = bitDepth
  header[9] = colourType
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([
    signature,
    makeChunk('IHDR', header),
    makeChunk('IDAT', data),
    makeChunk('IEND', Buffer.alloc(0)),
  ])
}
