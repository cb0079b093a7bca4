/** The bundled models under an open loop at rising rates, up to well above what they can do. */
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LineChild } from '../line-child.js'
import type { Outcome, Plan } from '../load/generator.js'
import { loopDelay, summarise, throughput } from '../load/summary.js'
import { memoryShares } from '../proc.js'
import { type Sample, scrape } from '../prometheus.js'
import type { LoadStep } from '../results.js'
import { type BenchService, startBenchService } from '../service.js'
import { significant } from '../stats.js'
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

const GENERATOR = fileURLToPath(new URL('../load/generator.js', import.meta.url))
const CALLERS = 8
const IDLE_MS = 3000

export async function load(plan: LoadPlan): Promise<LoadStep[]> {
  const steps: LoadStep[] = []
  for (const settings of plan.sets) {
    const service = await startBenchService({ EXECUTION_PROVIDER: plan.device, ...settings })
    try {
      await generate(plan, service, { callers: CALLERS }, 2, 1)
      const closed = await generate(plan, service, { callers: CALLERS }, plan.seconds, 2)
      const capacity = significant(throughput(closed.outcomes, plan.seconds), 3)
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
  const { outcomes, samples } = await generate(plan, service, { rate, spacing: 'poisson' }, plan.seconds, seed)
  const made: LoadStep = {
    ...about,
    rate,
    times_capacity: times,
    seconds: plan.seconds,
    ...summarise(outcomes, plan.seconds),
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

/** One run of the generator; the metrics are those of the time in which it sent. */
async function generate(
  { pictures }: LoadPlan,
  { url }: BenchService,
  loop: Plan['loop'],
  seconds: number,
  seed: number,
): Promise<{ outcomes: Outcome[]; samples: Sample[] }> {
  const child = new LineChild(process.execPath, [GENERATOR])
  try {
    const plan: Plan = { url, pictures, question: QUESTION, seed, loop, seconds }
    child.say(plan)
    await child.next()
    // resets the event loop's histogram
    await scrape(url)
    child.say('go')
    await child.next()
    const samples = await scrape(url)
    return { samples, outcomes: (await child.next()) as Outcome[] }
  } finally {
    await child.close()
  }
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
