import t from 'tap'
import { AT_REST, MEASURED, type Sample } from '../../../bench/soak/measure/sampler.js'
import { report } from '../../../bench/soak/report.js'
import type { SoakResult } from '../../../bench/soak/run.js'
import { summarise } from '../../../bench/soak/summary.js'

const SAMPLES = Array.from(
  { length: 720 },
  (_, i): Sample => ({
    hours: i / 720,
    stage: i < 100 ? 'fill' : i % 9 === 0 ? AT_REST : MEASURED,
    http_mb: 90,
    http_fds: 30,
    engine_pid: 7,
    // the caches fill, then nothing grows but what requests take, which is not held against it
    engine_mb: 200 + Math.min(i, 100) + (i % 9 === 0 ? 0 : i / 100),
    engine_fds: 20,
    heap_mb: 30,
    external_mb: 4,
    engine_heap_mb: 40,
    engine_external_mb: 60,
    engine_small_mb: 30,
    engine_large_mb: 80 + (i % 3),
    loop_ms: 12 + (i === 50 ? 30 : 0),
    queue: 0,
    restarts: 2,
    requests: i,
  }),
)
const REST = { http: 25, engine: 28 }
const STEADY: SoakResult = {
  requests: [{ kind: 'crop', requests: 10, statuses: { 200: 9, 429: 1 }, p50: 20, p99: 90 }],
  behaviours: { good: 3, stall: 1 },
  faults: [],
  faultCount: 0,
  samples: SAMPLES,
  isFull: true,
  rests: [REST, REST, REST],
  kills: [
    { signal: 'SIGKILL', ms: 1500 },
    { signal: 'SIGSTOP', ms: 6500 },
  ],
}
const growing = (key: 'http_mb' | 'engine_mb' | 'engine_small_mb', perHour: number): SoakResult => ({
  ...STEADY,
  samples: SAMPLES.map(sample => ({ ...sample, [key]: (sample[key] ?? 0) + perHour * sample.hours })),
})

t.test('a steady run', async t => {
  const summary = summarise(STEADY)
  t.same(summary.problems, [])
  t.same(summary.open, [])
  t.equal(summary.maxLoopMs, 42)
  const slope = summary.memory.find(({ name }) => name === 'engine process')?.line.slope
  t.ok(Math.abs(slope ?? Number.NaN) < 1e-9, 'the part in which the caches fill is left out')
  const text = report(STEADY, summary)
  for (const line of [
    /^crop +10 +20 +90 {2}200 x9, 429 x1$/m,
    /^2 kills of the engine; back after 4\.0 s \(median\), 6\.5 s at most$/m,
    /^caches were full/m,
    /^memory, engine process: 301-307 MiB under load, 300-300 MiB at rest; 0\.00 ± 0\.00 MiB\/h over 50 min: flat$/m,
    /^memory, engine process, outside of V8: 201-207 MiB under load, 200-200 MiB at rest; 0\.00 ± 0\.00 MiB\/h over 50 min: flat$/m,
    /^memory, engine process, small objects \(jemalloc\): 30-30 MiB under load; 0\.00 ± 0\.00 MiB\/h over 52 min: flat$/m,
    /^descriptors at rest, HTTP: 25, 25, 25; engine: 28, 28, 28/m,
    /late by at most 32 ms$/m,
    /^STEADY$/m,
  ])
    t.match(text, line)
})

t.test('what is not steady', async t => {
  const problems = (result: SoakResult) => summarise(result).problems
  for (const [key, name] of [
    ['http_mb', 'HTTP process'],
    ['engine_mb', 'engine process'],
  ] as const) {
    const grow = [name, `${name}, outside of V8`].map(what => `the memory of the ${what} grows`)
    t.same(problems(growing(key, 3)), grow)
  }
  t.same(problems(growing('engine_small_mb', 3)), ['the memory of the engine process, small objects (jemalloc) grows'])
  t.same(problems(growing('engine_mb', 0.5)), [])
  t.same(problems({ ...growing('engine_mb', 3), isFull: false }), [], 'a cold cache is no leak')
  const more = { http: 25, engine: 33 }
  t.same(problems({ ...STEADY, rests: [REST, more, REST] }), [
    'the engine process had 28 descriptors at rest, and then 33',
  ])
  t.same(problems({ ...STEADY, rests: [REST, REST, more] }), [], 'another engine process')
  t.same(problems({ ...STEADY, rests: [REST, REST, { http: 29, engine: 28 }] }), [
    'the HTTP process had 25 descriptors at rest, and then 29',
  ])
  t.match(problems({ ...STEADY, faults: ['crop: status 500'], faultCount: 1 }), [/^1 replies or processes/])
  t.same(problems({ ...STEADY, kills: STEADY.kills.slice(1) }), ['the engine was started again 2 times for 1 kills'])
  const text = report(
    { ...STEADY, faults: ['crop: status 500'], faultCount: 1 },
    summarise({ ...STEADY, faultCount: 1 }),
  )
  t.match(text, /^FAULT crop: status 500$/m)
  t.match(text, /^NOT STEADY: 1 replies/m)
})

t.test('what a run cannot tell is said to be open', async t => {
  const short = { ...STEADY, samples: SAMPLES.slice(0, 150) }
  t.same(summarise(short).problems, [])
  t.match(summarise(short).open, ['HTTP process', 'engine process'])
  t.match(
    report(short, summarise(short)),
    /^NOTHING FOUND; whether memory grows is open for: HTTP process; engine process/m,
  )
  const cold = { ...growing('engine_mb', 3), isFull: false }
  t.ok(summarise(cold).open.includes('engine process'))
})

t.test('an engine without jemalloc', async t => {
  const untold = {
    ...STEADY,
    samples: SAMPLES.map(sample => ({ ...sample, engine_small_mb: null, engine_large_mb: null })),
  }
  const summary = summarise(untold)
  t.same(summary.problems, [])
  t.same(summary.open, [])
  t.match(
    report(untold, summary),
    /^memory, engine process, small objects \(jemalloc\): \?; too few samples for a line$/m,
  )
})
