/** What a soak has shown, in figures and in words. */
import { type Course, coursesOf } from './measure/memory.js'
import { growth } from './measure/verdict.js'
import type { SoakResult } from './run.js'

export interface Summary {
  memory: readonly Course[]
  /** How late the HTTP process's event loop was at most, in ms; null where `/metrics` never told. */
  maxLoopMs: number | null
  /** What is wrong; empty where nothing is. */
  problems: readonly string[]
  /** What is judged of memory and may grow or not: the run was too short for it, or its caches were not full. */
  open: readonly string[]
}

/** Connections that happened to be kept when descriptors were counted. */
const SPARE_DESCRIPTORS = 2
/** Of a shorter run, connections may not have had the time to end. */
const MIN_REST_HOURS = 1 / 60

export function summarise(result: SoakResult): Summary {
  const { samples, faultCount, rests, kills } = result
  const memory = coursesOf(samples)
  const judged = memory.filter(({ isJudged, underLoad, atRest }) => isJudged && (underLoad ?? atRest) !== null)
  const loops = samples.map(({ loop_ms }) => loop_ms).filter(ms => ms !== null)
  const [first, last] = [rests[0], rests[2]]
  const hours = samples.at(-1)?.hours ?? 0
  const restarts = samples.at(-1)?.restarts ?? 0
  const more = (name: string, before: number, after: number) =>
    hours >= MIN_REST_HOURS && after > before + SPARE_DESCRIPTORS
      ? [`the ${name} process had ${before} descriptors at rest, and then ${after}`]
      : []
  const problems = [
    ...(faultCount > 0 ? [`${faultCount} replies or processes were not as they should be`] : []),
    ...judged
      .filter(({ line }) => result.isFull && growth(line) === 'leak')
      .map(({ name }) => `the memory of the ${name} grows`),
    ...more('HTTP', first.http, Math.max(rests[1].http, last.http)),
    ...more('engine', first.engine, rests[1].engine),
    ...(restarts > kills.length ? [`the engine was started again ${restarts} times for ${kills.length} kills`] : []),
  ]
  const maxLoopMs = loops.length === 0 ? null : Math.max(...loops)
  const open = judged.filter(({ line }) => !result.isFull || growth(line) === 'unclear').map(({ name }) => name)
  if (judged.length === 0) open.push('all processes')
  return { memory, maxLoopMs, problems, open }
}
