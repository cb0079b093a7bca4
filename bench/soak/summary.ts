/** What a soak has shown, in figures and in words. */
import { fitLine, type Line } from './measure/fit.js'
import { AT_REST, MEASURED, type Sample } from './measure/sampler.js'
import { growth } from './measure/verdict.js'
import type { SoakResult } from './run.js'

export interface Summary {
  /** Lines through the resident memory at rest in the measured part, in MiB an hour. */
  http: Line
  engine: Line
  /** Of V8's heap of each process: its garbage makes it noisier, but nothing else is in it. */
  heap: Line
  engineHeap: Line
  /** Of what the engine's jemalloc has given out; of no points where it tells nothing. */
  engineSmall: Line
  engineLarge: Line
  /** How late the HTTP process's event loop was at most, in ms; null where `/metrics` never told. */
  maxLoopMs: number | null
  /** What is wrong; empty where nothing is. */
  problems: readonly string[]
}

/** Connections that happened to be kept when descriptors were counted. */
const SPARE_DESCRIPTORS = 2
/** Of a shorter run, connections may not have had the time to end. */
const MIN_REST_HOURS = 1 / 60

export function summarise(result: SoakResult): Summary {
  const { samples, faultCount, rests, kills } = result
  const rested = samples.filter(({ stage }) => stage === AT_REST)
  const lineOf = (of: keyof Sample, taken = rested) =>
    fitLine(taken.flatMap(({ hours, [of]: value }) => (typeof value === 'number' ? [{ hours, value }] : [])))
  const [http, engine] = [lineOf('http_mb'), lineOf('engine_mb')]
  const [heap, engineHeap] = [lineOf('heap_mb'), lineOf('engine_heap_mb')]
  // jemalloc tells while it works, not at rest
  const loaded = samples.filter(({ stage }) => stage === MEASURED)
  const [engineSmall, engineLarge] = [lineOf('engine_small_mb', loaded), lineOf('engine_large_mb', loaded)]
  const loops = samples.map(({ loop_ms }) => loop_ms).filter(ms => ms !== null)
  const [first, last] = [rests[0], rests[2]]
  const hours = samples.at(-1)?.hours ?? 0
  const restarts = samples.at(-1)?.restarts ?? 0
  const more = (name: string, before: number, after: number) =>
    hours >= MIN_REST_HOURS && after > before + SPARE_DESCRIPTORS
      ? [`the ${name} process had ${before} descriptors at rest, and then ${after}`]
      : []
  const growing: [whose: string, line: Line][] = [
    ['the HTTP process', http],
    ['the engine process', engine],
    ["the engine's small objects", engineSmall],
    ["the engine's large objects", engineLarge],
  ]
  const problems = [
    ...(faultCount > 0 ? [`${faultCount} replies or processes were not as they should be`] : []),
    ...growing
      .filter(([, line]) => result.isFull && growth(line) === 'leak')
      .map(([whose]) => `the memory of ${whose} grows`),
    ...more('HTTP', first.http, Math.max(rests[1].http, last.http)),
    ...more('engine', first.engine, rests[1].engine),
    ...(restarts > kills.length ? [`the engine was started again ${restarts} times for ${kills.length} kills`] : []),
  ]
  const maxLoopMs = loops.length === 0 ? null : Math.max(...loops)
  return { http, engine, heap, engineHeap, engineSmall, engineLarge, maxLoopMs, problems }
}
