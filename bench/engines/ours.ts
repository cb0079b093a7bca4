/** The service, asked over HTTP; the time is from reading the picture's file to the parsed reply. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Sample, scrape, total } from '../prometheus.js'
import { BUNDLED_MODELS, startBenchService } from '../service.js'
import type { Engine } from './engine.js'
import type { Device } from './peer.js'

export interface OursOptions {
  folder: string
  precision: string
  device: Device
}

export interface CropReply {
  bbox: [number, number, number, number]
  raw: string
  model: { tiles: number }
  timings_ms: Record<string, number>
}

export interface OurEngine extends Engine {
  readonly url: string
}

export async function startOurs({ folder, precision, device }: OursOptions): Promise<OurEngine> {
  const service = await startBenchService({
    ...BUNDLED_MODELS,
    CROPPER_MODEL: folder,
    MODEL_PRECISION: precision,
    EXECUTION_PROVIDER: device,
    // a box at 2048 on a busy machine
    REQUEST_TIMEOUT_MS: '600000',
  })
  let tokens = tokensOf(await scrape(service.url))
  return {
    name: 'cropvlm',
    precision,
    version: 'this repository',
    url: service.url,
    async ask({ image, question, resolution }) {
      const start = performance.now()
      const reply = await askCrop(service.url, await readFile(image), basename(image), question, resolution)
      const total_ms = performance.now() - start
      const before = tokens
      tokens = tokensOf(await scrape(service.url))
      const { queue: _queue, crop: _crop, total: _total, ...stages } = reply.timings_ms
      return { total_ms, stages, tokens: tokens - before, tiles: reply.model.tiles }
    },
    pids: () => [service.pid, ...service.engines()],
    close: () => service.stop(),
  }
}

/**
 * Asks the service for a box.
 * @throws Error: the service gave none; the message has its reply
 */
export async function askCrop(
  url: string,
  image: Uint8Array<ArrayBuffer>,
  name: string,
  question: string,
  resolution: number,
): Promise<CropReply> {
  const form = new FormData()
  form.set('question', question)
  form.set('resolution', String(resolution))
  form.set('image', new Blob([image]), name)
  const response = await fetch(`${url}/crop`, { method: 'POST', body: form })
  if (!response.ok) throw new Error(`/crop answers ${response.status}: ${(await response.text()).slice(0, 300)}`)
  return (await response.json()) as CropReply
}

function tokensOf(samples: readonly Sample[]): number {
  return total(samples, 'cropvlm_generated_tokens_sum') ?? 0
}
