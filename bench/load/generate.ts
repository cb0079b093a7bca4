import { fileURLToPath } from 'node:url'
import { type Sample, scrape } from '../prometheus.js'
import type { BenchService } from '../service.js'
import { LineChild } from '../system/line-child.js'
import type { Outcome, Plan } from './generator.js'

const GENERATOR = fileURLToPath(new URL('./generator.js', import.meta.url))

/** Runs the generator once. The samples are the service's metrics over the time in which requests were sent. */
export async function generate(
  { url }: BenchService,
  load: Omit<Plan, 'url'>,
): Promise<{ outcomes: Outcome[]; samples: Sample[] }> {
  const child = new LineChild(process.execPath, [GENERATOR])
  try {
    child.say({ url, ...load } satisfies Plan)
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
