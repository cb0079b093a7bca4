/** The text cropper: what a page of text costs, by stage, and another question about it. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askCrop } from '../engines/ask-crop.js'
import type { TextRow } from '../results.js'
import { startBenchService } from '../service.js'
import { median, medians, significant } from '../stats.js'
import { peakRssMb } from '../system/proc.js'

const QUESTIONS = ['What is the total amount?', 'What is the date?'] as const

export interface TextPlan {
  /** A folder of JPEG files. */
  images: string
  /** How many of them, spread over all. */
  pages: number
  log(line: string): void
}

/** null where the folder is absent. */
export async function textPages({ images, pages, log }: TextPlan): Promise<TextRow | null> {
  if (!existsSync(images)) {
    log(`text: ${images} is absent; name a folder of pages with --text-images`)
    return null
  }
  const all = (await readdir(images)).filter(name => /\.jpe?g$/i.test(name)).sort()
  const some = all.filter((_, i) => i % Math.max(1, Math.floor(all.length / pages)) === 0).slice(0, pages)
  const service = await startBenchService({ CROPPER: 'text', TARGET_MODEL: 'local:text', REQUEST_TIMEOUT_MS: '600000' })
  try {
    const first: Record<string, number>[] = []
    const second: number[] = []
    for (const [i, name] of some.entries()) {
      const image = await readFile(join(images, name))
      const ask = async (question: string) => (await askCrop(service.url, { image, name, question })).timings_ms
      first.push(await ask(QUESTIONS[0]))
      second.push((await ask(QUESTIONS[1])).total ?? 0)
      if (i % 10 === 9) log(`text: page ${i + 1} of ${some.length}`)
    }
    const totals = first.map(({ total = 0 }) => total).sort((a, b) => a - b)
    return {
      pages: some.length,
      total_ms: significant(median(totals)),
      p90_ms: significant(totals[Math.floor(0.9 * totals.length)] ?? 0),
      stages: medians(first),
      second_ms: significant(median(second)),
      http_rss_mb: peakRssMb([service.pid]),
      engine_rss_mb: peakRssMb(service.engines()),
    }
  } finally {
    await service.stop()
  }
}
