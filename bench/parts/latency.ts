/** One box at a time. The engines are asked about the same picture in turns, so that other load slows all alike. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Engine, STAGES } from '../engines/engine.js'
import { closeAll, type Started } from '../engines/start.js'
import type { Row } from '../results.js'
import { median, medians, pairedRatio, significant } from '../stats.js'
import type { GpuMemory } from '../system/gpu-memory.js'
import { cpuSeconds, peakRssMb } from '../system/proc.js'

export const QUESTION = 'What is the total?'
const IDLE_MS = 3000
/** Tokens of ` [12, 5, 80, 47].` and the end: how many peers generate while ours has given no box to count them of. */
const BOX_TOKENS = 16

export interface LatencyPlan {
  model: Row['model']
  device: string
  /** Longest edge -> rounds. */
  rounds: readonly (readonly [resolution: number, rounds: number])[]
  /** The precision of ours that `ours_is_faster_by` is of. */
  ours: string
  /** Path of the picture of that number. */
  picture(number: number): Promise<string>
  gpu: GpuMemory | null
  log(line: string): void
}

/**
 * Measures all engines, then closes them.
 * @param before Called before they are closed, to read more of them.
 */
export async function latency(started: Started, plan: LatencyPlan, before: () => Promise<void>): Promise<Row[]> {
  const { engines } = started
  try {
    let pictures = 0
    const smallest = plan.rounds[0]?.[0] ?? 0
    const warm = { image: await plan.picture(pictures++), resolution: smallest, newTokens: BOX_TOKENS }
    for (const engine of engines) await engine.ask({ ...warm, question: QUESTION })
    const idle = await idleCores(engines)
    const rows: Row[] = []
    for (const [resolution, rounds] of plan.rounds) {
      const answers = engines.map((): Answer[] => [])
      for (let round = 0; round < rounds; round++) {
        const image = await plan.picture(pictures++)
        for (const [i, answer] of await askAll(engines, image, resolution, round)) answers[i]?.push(answer)
        plan.log(`${plan.model} at ${resolution}: round ${round + 1} of ${rounds}`)
      }
      const made = engines.map((engine, i) => makeRow(engine, answers[i] ?? [], resolution, idle[i] ?? null, plan))
      rows.push(...withRatios(made, answers, plan.ours))
    }
    await before()
    return rows
  } finally {
    await closeAll(engines)
  }
}

/**
 * Ours first, since peers make as many tokens as our first engine's box of this picture has: of trained weights all
 * would give the same box. Within ours, and within the peers, each round begins with another.
 */
async function askAll(engines: readonly Engine[], image: string, resolution: number, round: number) {
  const indices = engines.map((_, i) => i)
  const isOurs = (i: number) => engines[i]?.name === 'cropvlm'
  const order = [
    ...rotate(indices.filter(isOurs), round),
    ...rotate(
      indices.filter(i => !isOurs(i)),
      round,
    ),
  ]
  const answers: [number, Answer][] = []
  for (const i of order) {
    const newTokens = answers.find(([asked]) => asked === 0)?.[1].tokens ?? BOX_TOKENS
    const answer = await engines[i]?.ask({ image, question: QUESTION, resolution, newTokens })
    if (answer) answers.push([i, answer])
  }
  return answers
}

function makeRow(
  engine: Engine,
  answers: readonly Answer[],
  resolution: number,
  idle: number | null,
  plan: LatencyPlan,
) {
  const totals = answers.map(({ total_ms }) => total_ms)
  const stages = medians(answers.map(answer => answer.stages))
  const peak = peakRssMb(engine.pids())
  const row: Row = {
    model: plan.model,
    resolution,
    tiles: answers[0]?.tiles ?? 0,
    engine: engine.name,
    precision: engine.precision,
    device: plan.device,
    rounds: answers.length,
    tokens: median(answers.map(({ tokens }) => tokens)),
    total_ms: significant(median(totals)),
    total_ms_range: [significant(Math.min(...totals)), significant(Math.max(...totals))],
    stages: Object.fromEntries(STAGES.map(stage => [stage, significant(stages[stage] ?? 0)])),
    peak_rss_mb: peak === null ? null : Math.round(peak),
    peak_gpu_mb: plan.gpu?.peakMb(engine.pids()) ?? null,
    idle_cores: idle,
    ours_is_faster_by: null,
    faster_by: null,
  }
  return row
}

function withRatios(rows: readonly Row[], answers: readonly (readonly Answer[])[], ours: string): Row[] {
  const totals = answers.map(list => list.map(({ total_ms }) => total_ms))
  return rows.map((row, i) => {
    if (row.engine === 'cropvlm') return row
    const ratios = rows.flatMap((own, k): [string, number][] =>
      own.engine === 'cropvlm' ? [[own.precision, significant(pairedRatio(totals[i] ?? [], totals[k] ?? []), 3)]] : [],
    )
    const faster_by = Object.fromEntries(ratios)
    return { ...row, faster_by, ours_is_faster_by: faster_by[ours] ?? null }
  })
}

/** How many cores each engine uses while no engine is asked. An engine that spins would slow the others. */
async function idleCores(engines: readonly Engine[]): Promise<(number | null)[]> {
  await sleep(1000)
  const before = engines.map(engine => cpuSeconds(engine.pids()))
  await sleep(IDLE_MS)
  return engines.map((engine, i) => {
    const [now, then] = [cpuSeconds(engine.pids()), before[i] ?? null]
    return now === null || then === null ? null : significant(((now - then) * 1000) / IDLE_MS, 2)
  })
}

function rotate<T>(list: readonly T[], by: number): T[] {
  const start = list.length === 0 ? 0 : by % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
