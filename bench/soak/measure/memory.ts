/** What of memory is followed through a run, and how each of it went. */
import { fitLine, type Line } from './fit.js'
import { AT_REST, MEASURED, type Sample } from './sampler.js'

export interface Course {
  name: string
  /** Least and most in MiB while requests come, and at rest; null where nothing was told. */
  underLoad: Range | null
  atRest: Range | null
  /** In MiB an hour. */
  line: Line
  /** Whether growth is held against the service. What is not judged is part of what is, and tells where that grows. */
  isJudged: boolean
}

export type Range = readonly [least: number, most: number]

interface Followed {
  name: string
  of: (sample: Sample) => number | null
  isJudged?: boolean
  /** jemalloc tells while it works, not at rest. */
  isToldUnderLoad?: boolean
}

const FOLLOWED: readonly Followed[] = [
  { name: 'HTTP process', of: ({ http_mb }) => http_mb, isJudged: true },
  { name: 'engine process', of: ({ engine_mb }) => engine_mb, isJudged: true },
  // when V8 last looked for garbage is chance, and moves the whole by tens of MiB
  {
    name: 'HTTP process, outside of V8',
    of: ({ http_mb, heap_mb, external_mb }) => without(http_mb, heap_mb, external_mb),
    isJudged: true,
  },
  {
    name: 'engine process, outside of V8',
    of: ({ engine_mb, engine_heap_mb, engine_external_mb }) => without(engine_mb, engine_heap_mb, engine_external_mb),
    isJudged: true,
  },
  { name: "HTTP process, V8's heap", of: ({ heap_mb }) => heap_mb },
  { name: "engine process, V8's heap", of: ({ engine_heap_mb }) => engine_heap_mb },
  { name: "HTTP process, V8's buffers", of: ({ external_mb }) => external_mb },
  { name: "engine process, V8's buffers", of: ({ engine_external_mb }) => engine_external_mb },
  {
    name: 'engine process, small objects (jemalloc)',
    of: ({ engine_small_mb }) => engine_small_mb,
    isJudged: true,
    isToldUnderLoad: true,
  },
  {
    name: 'engine process, large objects (jemalloc)',
    of: ({ engine_large_mb }) => engine_large_mb,
    isJudged: true,
    isToldUnderLoad: true,
  },
]

export function coursesOf(samples: readonly Sample[]): Course[] {
  return FOLLOWED.map(({ name, of, isJudged = false, isToldUnderLoad = false }) => {
    const points = (stage: string) =>
      samples.flatMap(sample => {
        const value = sample.stage === stage ? of(sample) : null
        return value === null ? [] : [{ hours: sample.hours, value }]
      })
    const [underLoad, atRest] = [points(MEASURED), isToldUnderLoad ? [] : points(AT_REST)]
    return {
      name,
      underLoad: rangeOf(underLoad),
      atRest: rangeOf(atRest),
      line: fitLine(isToldUnderLoad ? underLoad : atRest),
      isJudged,
    }
  })
}

function without(whole: number | null, ...parts: (number | null)[]): number | null {
  return parts.reduce((left, part) => (left === null || part === null ? null : left - part), whole)
}

function rangeOf(points: readonly { value: number }[]): Range | null {
  const values = points.map(({ value }) => value)
  return values.length === 0 ? null : [Math.min(...values), Math.max(...values)]
}
