/** Pages to ask about. The page of the documentation, made different by a size and a patch, so that each is read anew. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { commented } from '../../picture.js'
import { seeded } from '../../random.js'
import { ROOT } from '../../root.js'

const KNOWN = 6
const FORMATS = ['jpeg', 'png', 'webp'] as const
/** Longest edges in pixels: from a thumbnail to a photograph of a page. */
const EDGES = [320, 480, 640, 735, 900, 1200] as const

export interface Pictures {
  /** The same ones for the whole run. */
  known: readonly Buffer[]
  /** One that the service has never seen: its pixels are others. */
  fresh(): Promise<Buffer>
  /** One of the known ones as a file that the service has never seen. */
  renamed(): Buffer
}

/** @param random Chooses. */
export async function makePictures(random: () => number): Promise<Pictures> {
  const page = await readFile(join(ROOT, 'docs/example.png'))
  const known = await Promise.all(Array.from({ length: KNOWN }, (_, i) => makePage(page, seeded(i + 1), 'jpeg')))
  let names = 0
  return {
    known,
    fresh: () => makePage(page, random, oneOf(FORMATS, random)),
    renamed: () => commented(oneOf(known, random), `${random()}/${names++}`),
  }
}

/** @param values At least one. */
export function oneOf<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)] as T
}

async function makePage(page: Buffer, random: () => number, format: (typeof FORMATS)[number]): Promise<Buffer> {
  const edge = oneOf(EDGES, random) + Math.floor(random() * 40)
  const { data, info } = await sharp(page).resize(edge).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const side = 24
  const background = { r: random() * 255, g: random() * 255, b: random() * 255 }
  const patch = await sharp({ create: { width: side, height: side, channels: 3, background } })
    .png()
    .toBuffer()
  const place = (length: number) => Math.floor(random() * (length - side))
  const { width, height, channels } = info
  return sharp(data, { raw: { width, height, channels } })
    .composite([{ input: patch, left: place(width), top: place(height) }])
    .toFormat(format, { quality: 85 })
    .toBuffer()
}
