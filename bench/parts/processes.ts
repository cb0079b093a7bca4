/** What one more engine process costs and gives: the full-size model in one process and in two, the cores shared. */
import { readFile } from 'node:fs/promises'
import { askCrop } from '../engines/ours.js'
import { commented } from '../picture.js'
import { memoryShares, type Shares } from '../proc.js'
import type { ProcessesRow } from '../results.js'
import { type BenchService, startBenchService } from '../service.js'
import { median, significant } from '../stats.js'
import { QUESTION } from './latency.js'

export interface ProcessesPlan {
  folder: string
  precision: string
  resolution: number
  picture(number: number): Promise<string>
  log(line: string): void
}

/** Callers that ask again as soon as they are answered: more than there are processes, so that none is idle. */
const CALLERS = 4
const SECONDS = 20
const ALONE = 5
const PICTURES = 8

/** @throws Error where the service does not start as many processes as asked, or the system tells no shares. */
export async function processes(plan: ProcessesPlan): Promise<ProcessesRow[]> {
  const rows: ProcessesRow[] = []
  for (const count of [1, 2]) {
    rows.push(await measure(plan, count))
    plan.log(`${count} engine process(es)`)
  }
  return rows
}

async function measure(plan: ProcessesPlan, count: number): Promise<ProcessesRow> {
  const service = await startBenchService({
    CROPPER_MODEL: plan.folder,
    MODEL_PRECISION: plan.precision,
    EXECUTION_PROVIDER: 'cpu',
    ENGINE_PROCESSES: String(count),
    REQUEST_TIMEOUT_MS: '600000',
  })
  try {
    const ask = await asker(plan, service)
    await Promise.all(Array.from({ length: PICTURES }, ask))
    const memory = shares(service, count)
    const alone: number[] = []
    for (let i = 0; i < ALONE; i++) alone.push(await ask())
    const boxes_per_s = significant(await throughput(ask), 3)
    return { precision: plan.precision, processes: count, ...memory, alone_ms: significant(median(alone)), boxes_per_s }
  } finally {
    await service.stop()
  }
}

/** Asks about another file each time; gives the milliseconds until the box. */
async function asker({ picture, resolution }: ProcessesPlan, { url }: BenchService): Promise<() => Promise<number>> {
  const numbers = Array.from({ length: PICTURES }, (_, i) => 2000 + i)
  const files = await Promise.all(numbers.map(async number => await readFile(await picture(number))))
  let asked = 0
  return async () => {
    const number = asked++
    const image = new Uint8Array(commented(files[number % PICTURES] as Buffer, `file ${number}`))
    const start = performance.now()
    await askCrop(url, image, `${number}.jpg`, QUESTION, resolution)
    return performance.now() - start
  }
}

/** Boxes a second of a closed loop, those that end late counted with the time they take. */
async function throughput(ask: () => Promise<number>): Promise<number> {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  let boxes = 0
  const caller = async () => {
    for (; seconds() < SECONDS; boxes++) await ask()
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  return boxes / seconds()
}

function shares(service: BenchService, count: number): Pick<ProcessesRow, 'engines' | 'pss_sum_mb'> {
  const pids = service.engines()
  const engines = pids.map(memoryShares).filter((found): found is Shares => found !== null)
  if (pids.length !== count || engines.length !== count)
    throw new Error(`${count} engine processes were asked for, ${pids.length} run, ${engines.length} can be read`)
  const rounded = engines.map(({ rss_mb, pss_mb, private_mb }) => ({
    rss_mb: Math.round(rss_mb),
    pss_mb: Math.round(pss_mb),
    private_mb: Math.round(private_mb),
  }))
  return { engines: rounded, pss_sum_mb: rounded.reduce((sum, { pss_mb }) => sum + pss_mb, 0) }
}
