/** Image files made in the tests: real PNG by zlib, and headers of the other formats. */
import { crc32, deflateSync } from 'node:zlib'

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  body.copy(out, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}

/** A black 1-bit PNG; 20000x20000 takes 49 KB. */
export function png(width: number, height: number): Buffer {
  return pngOf(width, height, 1, Buffer.alloc(height * (1 + Math.ceil(width / 8))))
}

/** A grey PNG of a byte a pixel, row by row. */
export function greyPng(pixels: Buffer, width: number, height: number): Buffer {
  const rows = Buffer.alloc(height * (1 + width))
  for (let y = 0; y < height; y++) pixels.copy(rows, y * (1 + width) + 1, y * width, (y + 1) * width)
  return pngOf(width, height, 8, rows)
}

/** @param rows Each begins with the number of its filter. */
function pngOf(width: number, height: number, bitDepth: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = bitDepth
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The segments of a JPEG up to its frame header: an APP1 as long as a thumbnail's, a fill byte, then SOF2. */
export function jpegHeader(width: number, height: number): Buffer {
  const app1 = Buffer.alloc(302)
  app1.writeUInt16BE(0xffe1, 0)
  app1.writeUInt16BE(300, 2)
  const frame = Buffer.from([0xff, 0xff, 0xc2, 0, 17, 8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1])
  frame.writeUInt16BE(height, 6)
  frame.writeUInt16BE(width, 8)
  return Buffer.concat([Buffer.from([0xff, 0xd8]), app1, frame])
}

/** The first 30 bytes of a WebP file: lossy, lossless or extended. */
export function webpHeader(kind: 'VP8 ' | 'VP8L' | 'VP8X', width: number, height: number): Buffer {
  const bytes = Buffer.alloc(30)
  bytes.write('RIFF', 0, 'latin1')
  bytes.write(`WEBP${kind}`, 8, 'latin1')
  if (kind === 'VP8X') {
    bytes.writeUIntLE(width - 1, 24, 3)
    bytes.writeUIntLE(height - 1, 27, 3)
  } else if (kind === 'VP8L') {
    bytes[20] = 0x2f
    bytes.writeUInt32LE((width - 1) | ((height - 1) << 14), 21)
  } else {
    bytes.writeUIntBE(0x9d012a, 23, 3)
    bytes.writeUInt16LE(width, 26)
    bytes.writeUInt16LE(height, 28)
  }
  return bytes
}

/** The smallest lossless WebP file that there is: every pixel is (0, 0, 0). */
export function onlyColourWebp(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(28)
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(20, 4)
  bytes.write('WEBPVP8L', 8, 'latin1')
  bytes.writeUInt32LE(8, 16)
  bytes[20] = 0x2f
  bytes.writeUInt32LE((width - 1) | ((height - 1) << 14), 21)
  // no transform, no colour cache, no meta codes (3 bits of 0); then five codes of one symbol each, which is 0 (bits 1000)
  bytes.writeUIntLE(0b0001_0001_0001_0001_0001_000, 25, 3)
  return bytes
}

/** A file with these bytes put in. */
export function withBytes(file: Buffer, at: number, bytes: readonly number[]): Buffer {
  return Buffer.concat([file.subarray(0, at), Buffer.from(bytes), file.subarray(at)])
}

/** Where the first segment of this marker begins in a JPEG file whose segments follow one another. */
export function segmentAt(jpeg: Buffer, marker: number): number {
  for (let at = 2; at + 4 <= jpeg.length; at += 2 + jpeg.readUInt16BE(at + 2)) if (jpeg[at + 1] === marker) return at
  throw new Error(`the JPEG file has no segment ${marker.toString(16)}`)
}

/** A JPEG file with one more segment, the first. */
export function withSegment(jpeg: Buffer, marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(content.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)])
}

/** A JPEG file with an ICC profile, in as many segments as that needs. */
export function withProfile(jpeg: Buffer, icc: Buffer): Buffer {
  const most = 65_000
  const count = Math.ceil(icc.length / most)
  let file = jpeg
  // each becomes the first segment, so the last is put in first
  for (let i = count; i >= 1; i--) {
    const head = Buffer.from(`ICC_PROFILE\0${String.fromCharCode(i, count)}`, 'latin1')
    file = withSegment(file, 0xe2, Buffer.concat([head, icc.subarray((i - 1) * most, i * most)]))
  }
  return file
}
