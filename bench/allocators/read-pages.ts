/**
 * Reads the text of pages of many sizes, as an engine process does, and prints what that took as JSON:
 *
 *   node read-pages.js FOLDER PAGES
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { openImage } from '../../src/image/decode.js'
import { openReader } from '../../src/ocr/reader.js'
import { seeded } from '../random.js'
import { residentMb } from '../system/proc.js'

const [folder = '', count = ''] = process.argv.slice(2)
const files = readdirSync(folder)
  .filter(name => /\.(jpe?g|png|webp)$/i.test(name))
  .sort()
if (files.length === 0) throw new Error(`no JPEG, PNG or WebP in ${folder}`)

const random = seeded(7)
const reader = await openReader(2, null)
await reader.warmUp()
const { signal } = new AbortController()
const resident: number[] = []
const start = process.cpuUsage()
for (let page = 0; page < Number(count); page++) {
  const file = sharp(readFileSync(join(folder, files[Math.floor(random() * files.length)] as string)))
  const { width = 1, height = 1 } = await file.metadata()
  const scale = 0.5 + 0.7 * random()
  const stretch = 0.9 + 0.2 * random()
  const size = { width: Math.round(width * scale), height: Math.round(height * scale * stretch) }
  const bytes = await file
    .resize({ ...size, fit: 'fill' })
    .jpeg()
    .toBuffer()
  await reader.read({ key: null, open: () => openImage(bytes, { maxPixels: 1e9, maxAspect: 1000 }) }, signal)
  resident.push(residentMb(process.pid) ?? Number.NaN)
}
const { user, system } = process.cpuUsage(start)
const kept = resident.slice(Math.floor(resident.length / 2))
process.stdout.write(
  JSON.stringify({ seconds: (user + system) / 1e6, least: Math.min(...kept), most: Math.max(...resident) }),
)
process.exit(0)
