/** Pictures to ask about: broad colours and fine grain, as costly to decode as a photograph, and each one different. */
import { existsSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import sharp from 'sharp'
import { seeded } from './random.js'

/** Cells along the picture's width: from large areas to grain. */
const OCTAVES = [5, 21, 160]

/** A JPEG of quality 90. */
export async function makePicture(seed: number, width: number, height: number): Promise<Buffer> {
  const random = seeded(seed)
  const layers = await Promise.all(OCTAVES.map(cells => noise(cells, width, height, random)))
  const data = Buffer.alloc(width * height * 3)
  for (let i = 0; i < data.length; i++)
    data[i] = ((layers[0]?.[i] ?? 0) * 5 + (layers[1]?.[i] ?? 0) * 2 + (layers[2]?.[i] ?? 0)) >> 3
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer()
}

/** The file of a picture, made where it is missing. */
export async function pictureFile(folder: string, seed: number, width: number, height: number): Promise<string> {
  const path = join(folder, `${width}x${height}-${seed}.jpg`)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  await writeFile(`${path}.partial`, await makePicture(seed, width, height))
  await rename(`${path}.partial`, path)
  return path
}

/** A picture as a JPEG of quality 90, made where it is missing. */
export async function jpegFile(folder: string, picture: string): Promise<string> {
  const path = join(folder, `${basename(picture)}.jpg`)
  if (existsSync(path)) return path
  await mkdir(folder, { recursive: true })
  await sharp(picture).jpeg({ quality: 90 }).toFile(`${path}.partial`)
  await rename(`${path}.partial`, path)
  return path
}

/**
 * The same picture as another file: with a comment after the start marker (JPEG's COM segment), so that a server that
 * remembers images by their bytes has never seen it.
 */
export function commented(jpeg: Buffer, comment: string): Buffer {
  if (jpeg.readUInt16BE(0) !== 0xffd8) throw new TypeError('only a JPEG file can be given a comment')
  const text = Buffer.from(comment)
  const head = Buffer.alloc(4)
  head.writeUInt16BE(0xfffe, 0)
  head.writeUInt16BE(text.length + 2, 2)
  return Buffer.concat([jpeg.subarray(0, 2), head, text, jpeg.subarray(2)])
}

async function noise(cells: number, width: number, height: number, random: () => number): Promise<Buffer> {
  const rows = Math.max(2, Math.round((cells * height) / width))
  const small = Buffer.from(Uint8Array.from({ length: cells * rows * 3 }, () => random() * 256))
  return sharp(small, { raw: { width: cells, height: rows, channels: 3 } })
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
}
