/** Pages to ask about. The page of the documentation, made different by a size and coloured margins, so that each is read anew. */
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
  /** The same, as large as they get. */
  largest(): Promise<Buffer>
  /** One of the known ones as a file that the service has never seen. @param number Which; by chance without it. */
  renamed(number?: number): Buffer
}

/** @param random Chooses. */
export async function makePictures(random: () => number): Promise<Pictures> {
  const page = await readFile(join(ROOT, 'docs/example.png'))
  const known = await Promise.all(Array.from({ length: KNOWN }, (_, i) => makePage(page, seeded(i + 1), 'jpeg')))
  let names = 0
  return {
    known,
    fresh: () => makePage(page, random, oneOf(FORMATS, random)),
    largest: () => makePage(page, random, oneOf(FORMATS, random), () => 0.999),
    renamed: number =>
      commented(number === undefined ? oneOf(known, random) : (known[number] as Buffer), `${random()}/${names++}`),
  }
}

/** @param values At least one. */
export function oneOf<T>(values: readonly T[], random: () => number): T {
  return values[Math.floor(random() * values.length)] as T
}

/** @param size Chooses the edge and the margins. */
async function makePage(
  page: Buffer,
  random: () => number,
  format: (typeof FORMATS)[number],
  size = random,
): Promise<Buffer> {
  const edge = oneOf(EDGES, size) + Math.floor(size() * 40)
  const background = { r: random() * 255, g: random() * 255, b: random() * 255 }
  const margin = () => Math.floor((size() * edge) / 3)
  return sharp(page)
    .flatten()
    .resize(edge)
    .extend({ top: margin(), right: margin(), bottom: 2 * margin(), left: margin(), background })
    .toFormat(format, { quality: 85 })
    .toBuffer()
}
