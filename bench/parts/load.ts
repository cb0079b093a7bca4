/** The bundled models under an open loop at rising rates, up to well above what they can do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from '../load/generate.js'
import { loopDelay, summarise, throughput } from '../load/summary.js'
import { scrape } from '../prometheus.js'
import type { LoadStep } from '../results.js'
import { type BenchService, BUNDLED_MODELS, startBenchService } from '../service.js'
import { significant } from '../stats.js'
import { memoryShares } from '../system/proc.js'
import { QUESTION } from './latency.js'

export interface LoadPlan {
  /** Settings of the service; a row for each rate of each of them. */
  sets: readonly Record<string, string>[]
  /** In multiples of the capacity. */
  rates: readonly number[]
  seconds: number
  pictures: string[]
  device: string
  log(line: string): void
}

const CALLERS = 8
const IDLE_MS = 3000

export async function load(plan: LoadPlan): Promise<LoadStep[]> {
  const steps: LoadStep[] = []
  for (const settings of plan.sets) {
    const service = await startBenchService({ ...BUNDLED_MODELS, EXECUTION_PROVIDER: plan.device, ...settings })
    try {
      const { pictures, seconds } = plan
      const closedLoop = { pictures, question: QUESTION, loop: { callers: CALLERS } }
      await generate(service, { ...closedLoop, seconds: 2, seed: 1 })
      const closed = await generate(service, { ...closedLoop, seconds, seed: 2 })
      const capacity = significant(throughput(closed.outcomes, seconds), 3)
      plan.log(`capacity ${capacity} boxes/s ${describe(settings)}`)
      const about = { settings, capacity, idle_loop_delay_p99_ms: await idleLoopDelay(service) }
      for (const [i, times] of plan.rates.entries()) steps.push(await step(plan, service, about, times, 3 + i))
    } finally {
      await service.stop()
    }
  }
  return steps
}

async function step(
  plan: LoadPlan,
  service: BenchService,
  about: Pick<LoadStep, 'settings' | 'capacity' | 'idle_loop_delay_p99_ms'>,
  times: number,
  seed: number,
): Promise<LoadStep> {
  const rate = significant(about.capacity * times, 3)
  const { pictures, seconds } = plan
  const loop = { rate }
  const { outcomes, samples } = await generate(service, { pictures, question: QUESTION, loop, seconds, seed })
  const made: LoadStep = {
    ...about,
    rate,
    times_capacity: times,
    seconds,
    ...summarise(outcomes, seconds),
    ...loopDelay(samples),
    http_rss_mb: rssMb(service.pid),
    engine_rss_mb: service
      .engines()
      .map(rssMb)
      .filter(mb => mb !== null),
  }
  plan.log(`${rate}/s: ${made.throughput} boxes/s, p99 ${made.p99_ms ?? '-'} ms, ${JSON.stringify(made.statuses)}`)
  return made
}

/** What the machine alone does to an event loop that nobody asks anything. */
async function idleLoopDelay({ url }: BenchService): Promise<number> {
  await scrape(url)
  await sleep(IDLE_MS)
  return loopDelay(await scrape(url)).loop_delay_p99_ms
}

function rssMb(pid: number): number | null {
  const shares = memoryShares(pid)
  return shares === null ? null : Math.round(shares.rss_mb)
}

function describe(settings: Record<string, string>): string {
  const pairs = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? 'with the default settings' : `with ${pairs.join(' ')}`
}
