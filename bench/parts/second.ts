/** Another question about an image that was just asked about: what the image costs, and what the question. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { askCrop } from '../engines/ask-crop.js'
import { scrape, total } from '../prometheus.js'
import type { SecondQuestion } from '../results.js'
import { type BenchModel, startModel } from '../service.js'
import { median, medians, pairedRatio, significant } from '../stats.js'

const QUESTIONS = ['What is the total?', 'Which number is under the red circle?'] as const

export interface SecondPlan extends BenchModel {
  rounds: readonly (readonly [resolution: number, rounds: number])[]
  picture(number: number): Promise<string>
  log(line: string): void
}

interface Asked {
  total_ms: number
  stages: Record<string, number>
}

/** The smallest and the largest resolution, each with new pictures only. */
export async function secondQuestion(plan: SecondPlan): Promise<SecondQuestion[]> {
  const service = await startModel(plan)
  try {
    // numbers that no other part has asked about
    let pictures = 1000
    const ask = async (path: string, question: string, resolution: number): Promise<Asked> => {
      const file = { image: await readFile(path), name: basename(path) }
      const start = performance.now()
      const { timings_ms } = await askCrop(service.url, { ...file, question, resolution })
      return { total_ms: performance.now() - start, stages: timings_ms }
    }
    const edges = [plan.rounds[0], ...(plan.rounds.length > 1 ? [plan.rounds.at(-1)] : [])]
    await ask(await plan.picture(pictures++), QUESTIONS[0], edges[0]?.[0] ?? 0)
    const rows: SecondQuestion[] = []
    for (const [resolution, rounds] of edges.filter(edge => edge !== undefined)) {
      const [first, second]: [Asked[], Asked[]] = [[], []]
      const before = await found(service.url)
      for (let round = 0; round < rounds; round++) {
        const image = await plan.picture(pictures++)
        first.push(await ask(image, QUESTIONS[0], resolution))
        second.push(await ask(image, QUESTIONS[1], resolution))
        plan.log(`second question at ${resolution}: round ${round + 1} of ${rounds}`)
      }
      const reused = (await found(service.url)) - before
      rows.push({ ...compare(resolution, plan.precision, first, second), reused })
    }
    return rows
  } finally {
    await service.stop()
  }
}

function compare(resolution: number, precision: string, first: readonly Asked[], second: readonly Asked[]) {
  const [firsts, seconds] = [first, second].map(list => list.map(({ total_ms }) => total_ms)) as [number[], number[]]
  return {
    resolution,
    precision,
    rounds: first.length,
    first_ms: significant(median(firsts)),
    second_ms: significant(median(seconds)),
    faster_by: significant(pairedRatio(firsts, seconds), 3),
    first_stages: medians(first.map(({ stages }) => stages)),
    second_stages: medians(second.map(({ stages }) => stages)),
  }
}

/** Questions so far whose image the service knew. */
async function found(url: string): Promise<number> {
  return total(await scrape(url), 'cropvlm_prefix_cache_lookups_total', { found: 'true' }) ?? 0
}
