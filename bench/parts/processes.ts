/** What one more engine process costs and gives: the full-size model in one process and in two, the cores shared. */
import { generate } from '../load/generate.js'
import { summarise } from '../load/summary.js'
import type { LoadSummary, ProcessesRow } from '../results.js'
import { type BenchModel, type BenchService, startModel } from '../service.js'
import { memoryShares, type Shares } from '../system/proc.js'
import { QUESTION } from './latency.js'

export interface ProcessesPlan extends BenchModel {
  pictures: string[]
  log(line: string): void
}

/** More callers than processes, so that each process has had work before it is measured. */
const WARM_UP = { callers: 8, seconds: 1, seed: 1 }
const ALONE = { callers: 1, seconds: 8, seed: 2 }
const TOGETHER = { callers: 4, seconds: 20, seed: 3 }

/**
 * Measures one engine process and two.
 * @throws Error: the service does not run as many processes as asked, or the system does not tell their memory
 */
export async function processes(plan: ProcessesPlan): Promise<ProcessesRow[]> {
  const rows: ProcessesRow[] = []
  for (const count of [1, 2]) {
    rows.push(await measure(plan, count))
    plan.log(`${count} engine process(es)`)
  }
  return rows
}

async function measure(plan: ProcessesPlan, count: number): Promise<ProcessesRow> {
  const { precision, pictures } = plan
  const service = await startModel(plan, { ENGINE_PROCESSES: String(count) })
  const closedLoop = async ({ callers, seconds, seed }: typeof ALONE): Promise<LoadSummary> => {
    const { outcomes } = await generate(service, { pictures, question: QUESTION, loop: { callers }, seconds, seed })
    return summarise(outcomes, seconds)
  }
  try {
    await closedLoop(WARM_UP)
    const memory = shares(service, count)
    const { p50_ms: alone_ms } = await closedLoop(ALONE)
    const { throughput: boxes_per_s } = await closedLoop(TOGETHER)
    return { precision, processes: count, ...memory, alone_ms, callers: TOGETHER.callers, boxes_per_s }
  } finally {
    await service.stop()
  }
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
