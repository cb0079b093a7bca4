/**
 * Reads the text of each picture of a file of questions, once, as the service's engine does:
 *
 *   npm run lines -- receipts.jsonl LINES.jsonl
 *
 * A line of the first file has an `"image"`, the path from the file's folder; a line of the second is
 * `{"image", "lines": [{"box", "text", "score"}], "size": {"width", "height"}}`, a `Page` of `src/ocr/page.ts` with the
 * path as the first file has it. `measure-confidence.ts` reads it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readConfig } from '../../src/config/service.js'
import { defaultThreads } from '../../src/engine/threads.js'
import { openImage } from '../../src/image/decode.js'
import { openReader } from '../../src/ocr/reader.js'
import { medians } from '../stats.js'
import { readJsonLines } from './jsonl.js'

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error('npm run lines -- QUESTIONS.jsonl LINES.jsonl')
const images = new Set(readJsonLines<{ image: string }>(from).map(({ image }) => image))

const { maxPixels, maxAspect } = readConfig({})
const reader = await openReader(defaultThreads(), null)
const { signal } = new AbortController()
const pages: string[] = []
const times: Record<string, number>[] = []
for (const image of images) {
  const open = () => openImage(readFileSync(join(dirname(from), image)), { maxPixels, maxAspect })
  const { lines, size, timings } = await reader.read({ key: null, open }, signal)
  pages.push(JSON.stringify({ image, lines, size }))
  times.push(timings)
}
writeFileSync(to, `${pages.join('\n')}\n`)
console.log(`the lines of ${pages.length} pictures; medians, ms`, medians(times))
