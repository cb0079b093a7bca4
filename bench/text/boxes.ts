/**
 * Asks the service a file of questions and writes its boxes:
 *
 *   npm run boxes -- receipts.jsonl BOXES.jsonl
 *
 * A line of the first file is `{"id", "image", "question"}`, with the image's path from the file's folder; a line of the
 * second is `{"id", "bbox", "confidence"}`, the box in per cent. A question without a box (`decision: fallback`) has no line. The cropper is
 * `text` unless the environment says otherwise. Prints the stages' medians, of the first question about each image.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { askCrop } from '../engines/ask-crop.js'
import { startBenchService } from '../service.js'
import { medians } from '../stats.js'
import { peakRssMb } from '../system/proc.js'
import { readJsonLines } from './jsonl.js'

interface Row {
  id: string
  image: string
  question: string
}

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error('npm run boxes -- QUESTIONS.jsonl BOXES.jsonl')
const rows = readJsonLines<Row>(from)

const service = await startBenchService({ CROPPER: 'text', ...process.env, REQUEST_TIMEOUT_MS: '600000' })
try {
  const lines: string[] = []
  const times: Record<string, number>[] = []
  const seen = new Set<string>()
  for (const { id, image, question } of rows) {
    const file = { image: readFileSync(join(dirname(from), image)), name: basename(image) }
    const { bbox, decision, confidence, timings_ms } = await askCrop(service.url, { ...file, question })
    if (decision === 'zoomed') lines.push(JSON.stringify({ id, bbox, confidence }))
    if (!seen.has(image)) times.push(timings_ms)
    seen.add(image)
  }
  writeFileSync(to, `${lines.join('\n')}\n`)
  console.log(`${lines.length} boxes for ${rows.length} questions about ${seen.size} images`)
  console.log('medians of the first questions, ms', medians(times))
  console.log('peak memory, MiB: HTTP', peakRssMb([service.pid]), 'engine', peakRssMb(service.engines()))
} finally {
  await service.stop()
}
