/** The pictures of the rows: a page of text to be read, and flat ones. */
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { ROOT } from '../../../../bench/root.js'

type Format = 'jpeg' | 'png' | 'webp'

const WIDTH = 368
const HEIGHT = 280
const pages = new Map<Format, Promise<Buffer>>()

/** The example of the documentation, small, in one of the formats that are read. Made once. */
export function page(format: Format = 'jpeg'): Promise<Buffer> {
  const made = pages.get(format) ?? pageOf(WIDTH, HEIGHT).toFormat(format).toBuffer()
  pages.set(format, made)
  return made
}

/** The same page at any size. */
export function pageOf(width: number, height: number): Sharp {
  return sharp(join(ROOT, 'docs/example.png')).resize(width, height, { fit: 'fill' }).removeAlpha()
}

/** One colour. */
export function flat(width: number, height: number, background = '#888'): Sharp {
  return sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false })
}
