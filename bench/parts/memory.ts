/** What one more engine process costs: the full-size model in one process and in two, each after it gave a box. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { askCrop } from '../engines/ours.js'
import { memoryShares, type Shares } from '../proc.js'
import type { MemoryRow } from '../results.js'
import { startBenchService } from '../service.js'
import { QUESTION } from './latency.js'

export interface MemoryPlan {
  folder: string
  precision: string
  resolution: number
  picture(number: number): Promise<string>
  log(line: string): void
}

const AT_ONCE = 8

/** @throws Error where the service does not start as many processes as asked, or the system tells no shares. */
export async function memory(plan: MemoryPlan): Promise<MemoryRow[]> {
  const rows: MemoryRow[] = []
  for (const processes of [1, 2]) {
    rows.push(await measure(plan, processes))
    plan.log(`memory of ${processes} engine process(es)`)
  }
  return rows
}

async function measure(plan: MemoryPlan, processes: number): Promise<MemoryRow> {
  const service = await startBenchService({
    CROPPER_MODEL: plan.folder,
    MODEL_PRECISION: plan.precision,
    EXECUTION_PROVIDER: 'cpu',
    ENGINE_PROCESSES: String(processes),
    THREADS: '1',
    REQUEST_TIMEOUT_MS: '600000',
  })
  try {
    // with more at once than processes, each has had work
    const images = await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => plan.picture(2000 + i)))
    await Promise.all(
      images.map(async image =>
        askCrop(service.url, await readFile(image), basename(image), QUESTION, plan.resolution),
      ),
    )
    const pids = service.engines()
    const engines = pids.map(memoryShares).filter((shares): shares is Shares => shares !== null)
    if (pids.length !== processes || engines.length !== processes)
      throw new Error(`${processes} engine processes were asked for, ${pids.length} run, ${engines.length} can be read`)
    const rounded = engines.map(({ rss_mb, pss_mb, private_mb }) => ({
      rss_mb: Math.round(rss_mb),
      pss_mb: Math.round(pss_mb),
      private_mb: Math.round(private_mb),
    }))
    const pss_sum_mb = rounded.reduce((sum, { pss_mb }) => sum + pss_mb, 0)
    return { precision: plan.precision, processes, engines: rounded, pss_sum_mb }
  } finally {
    await service.stop()
  }
}
