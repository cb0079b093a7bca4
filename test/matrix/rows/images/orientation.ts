/** Files that say by EXIF how they are to be turned. */
import { withSegment } from '../../../support/images/pictures.js'
import { makeChunk } from '../../world/pictures/png.js'

export type Oriented = 'jpeg' | 'png' | 'webp'

/** The file with an EXIF block of the one entry Orientation. A WebP file has to be a simple one of even size. */
export function withOrientation(format: Oriented, file: Buffer, orientation: number): Buffer {
  const block = exif(orientation)
  if (format === 'jpeg') return withSegment(file, 0xe1, Buffer.concat([Buffer.from('Exif\0\0'), block]))
  if (format === 'png') return Buffer.concat([file.subarray(0, 33), makeChunk('eXIf', block), file.subarray(33)])
  return extendedWebp(file, block)
}

function exif(orientation: number): Buffer {
  const block = Buffer.from('49492a000800000001001201030001000000000000000000000000', 'hex').subarray(0, 26)
  block[18] = orientation
  return block
}

/** A lossy file as an extended one with metadata (WebP container specification). */
function extendedWebp(file: Buffer, block: Buffer): Buffer {
  const [width, height] = [file.readUInt16LE(26) & 0x3f_ff, file.readUInt16LE(28) & 0x3f_ff]
  const extended = Buffer.alloc(10)
  extended[0] = 0x08
  extended.writeUIntLE(width - 1, 4, 3)
  extended.writeUIntLE(height - 1, 7, 3)
  const body = Buffer.concat([Buffer.from('WEBP'), riff('VP8X', extended), file.subarray(12), riff('EXIF', block)])
  return riff('RIFF', body)
}

/** A chunk of RIFF; its content has an even size. */
function riff(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.write(name, 0, 'latin1')
  head.writeUInt32LE(content.length, 4)
  return Buffer.concat([head, content])
}
