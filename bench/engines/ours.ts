/** The service, asked over HTTP; the time is from reading the picture's file to the parsed reply. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Sample, scrape, total } from '../prometheus.js'
import { type BenchModel, startModel } from '../service.js'
import { askCrop } from './ask-crop.js'
import type { Engine } from './engine.js'

export interface OurEngine extends Engine {
  readonly url: string
}

export async function startOurs(model: BenchModel): Promise<OurEngine> {
  const service = await startModel(model)
  let tokens = tokensOf(await scrape(service.url))
  return {
    name: 'cropvlm',
    precision: model.precision,
    version: 'this repository',
    url: service.url,
    async ask({ image, question, resolution }) {
      const start = performance.now()
      const file = { image: await readFile(image), name: basename(image) }
      const { model: seen, timings_ms } = await askCrop(service.url, { ...file, question, resolution })
      const total_ms = performance.now() - start
      const before = tokens
      tokens = tokensOf(await scrape(service.url))
      const { queue: _queue, crop: _crop, total: _total, ...stages } = timings_ms
      if (seen.tiles === null) throw new Error(`the service did not run the model ${model.folder}`)
      return { total_ms, stages, tokens: tokens - before, tiles: seen.tiles }
    },
    pids: () => [service.pid, ...service.engines()],
    close: () => service.stop(),
  }
}

function tokensOf(samples: readonly Sample[]): number {
  return total(samples, 'cropvlm_generated_tokens_sum') ?? 0
}
