/**
 * Histories of an engine: jobs come, are aborted and run out of time, processes load, answer, hang, babble and die, and the
 * engine ends, in any order. Whatever happens, each job is settled once and as promised (`Submission`), and what
 * `EngineWorld.check` says holds after every action.
 */
import fc from 'fast-check'
import t from 'tap'
import { EngineWorld } from '../../support/properties/engine-world.js'
import { type Action, histories, type Setup, setups } from '../../support/properties/histories.js'
import type { FakeProcess } from '../../support/properties/processes.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

const nth = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)]

async function act(world: EngineWorld, action: Action): Promise<void> {
  const { clock, processes } = world
  const process = 'process' in action ? nth(processes.alive, action.process) : undefined
  switch (action.do) {
    case 'submit':
      return void world.submit(action.deadlineMs, action.isSecondHalf)
    case 'abort': {
      const submission = nth(world.open, action.job)
      return submission && world.abort(submission)
    }
    case 'load': {
      // one that has just been killed may have said so before
      const loading = processes.all.filter(({ state, wasReady }) => state !== 'gone' && !wasReady)
      return nth(loading, action.process)?.ready()
    }
    case 'answer': {
      // of a process that has just ended, too: what it said before is still heard
      const busy = processes.all.filter(({ state, jobs, hangs }) => state !== 'gone' && jobs.length > 0 && !hangs)
      const one = nth(busy, action.process)
      return one && answer(world, one, action)
    }
    case 'babble':
      return process && babble(world, process, action.what)
    case 'end':
      return process?.end(action.signal ? null : 9, action.signal ? 'SIGSEGV' : null)
    case 'hang':
      if (process?.hangs) process.wake()
      else if (process) Object.assign(process, { hangs: true, isBlameless: false })
      return
    case 'exhaust':
      processes.isExhausted = !processes.isExhausted
      return
    case 'pass':
      return await clock.pass(action.ms)
    case 'block':
      return clock.block(action.ms)
    default:
      return world.end(action.do)
  }
}

function answer(
  world: EngineWorld,
  process: FakeProcess,
  { job: index, how, times }: Extract<Action, { do: 'answer' }>,
): void {
  const [{ id, job }] = process.jobs.splice(index % process.jobs.length, 1) as [(typeof process.jobs)[number]]
  const submission = world.submissionOf(job)
  world.answered(process, submission, how)
  if (how === 'model_failed') process.isBlameless = false
  const details = how === 'model_failed' ? { details: { reason: 'no_numbers' } } : {}
  for (let i = 0; i < times; i++)
    process.reply(
      how === 'result'
        ? { type: 'result', id, result: resultOf(submission?.question ?? '') }
        : { type: 'error', id, error: { code: how, message: how, ...details } },
    )
}

function babble(world: EngineWorld, process: FakeProcess, what: Extract<Action, { do: 'babble' }>['what']): void {
  if (what === 'ready' && process.state === 'ready') process.ready()
  if (what === 'failed') process.reply({ type: 'failed', error: { code: 'invalid_model', message: 'no model' } })
  if (what !== 'unknown job') return
  world.answered(process, undefined, 'result')
  process.reply({ type: 'result', id: 1e9, result: resultOf('none') })
}

function resultOf(raw: string) {
  const cost = { generatedTokens: 1, runs: 1, nonGreedyTokens: 0, batch: 1, reused: false }
  return {
    kind: 'locate' as const,
    boxes: [{ box: [0, 0, 1, 1] as const, decision: 'zoomed' as const, reason: null, confidence: 1, raw, cost }],
    image: { width: 1, height: 1 },
    model: { id: 'fake', resolution: 1, tiles: 1 },
    timings: { queue: 0, decode: 0, preprocess: 0, vision: 0, prefill: 0, generate: 0, crop: 0 },
  }
}

/** Processes load and answer from now on, until everybody has an answer. */
async function untilAnswered(world: EngineWorld): Promise<void> {
  world.processes.isExhausted = false
  for (let round = 0; round < 200; round++) {
    world.begin()
    for (const process of world.processes.alive) {
      process.wake()
      if (process.state === 'loading') process.ready()
      while (process.jobs.length > 0)
        answer(world, process, { do: 'answer', process: 0, job: 0, how: 'result', times: 1 })
    }
    await world.clock.pass(50)
    await world.check()
    if (world.open.length === 0 && (world.isClosing || world.idle.length > 0)) return
  }
  throw new Error(`${world.open.length} jobs have no answer, ${world.idle.length} processes are idle`)
}

/** After whatever has happened, the engine answers, and ends without leaving anything behind. */
async function comesToRest(world: EngineWorld): Promise<void> {
  await untilAnswered(world)
  if (!world.isClosing) {
    const last = world.submit(60_000, false)
    await untilAnswered(world)
    expect(last.outcome === 'result', () => `the last job is settled with ${last.outcome}`)
  }
  world.begin()
  world.submit(60_000, false)
  world.end('close')
  await world.clock.pass(1000)
  await world.check()
  expect(world.open.length === 0 && world.ending === 0, 'it does not close')
  expect(world.processes.alive.length === 0, 'a process outlives it')
  expect(world.clock.pending === 0, 'a timer outlives it')
}

/** Lives through one history, with a check after each action. */
async function live(setup: Setup, history: readonly Action[]): Promise<void> {
  const world = new EngineWorld(setup)
  try {
    for (const action of history) {
      world.begin()
      await act(world, action)
      if (action.do !== 'block') await world.check()
    }
    await comesToRest(world)
  } finally {
    world.restore()
  }
}

t.test('a job whose deadline passed while the service was held up is not started', async t => {
  const setup = { queueSize: 0, processes: 1, batchSize: 2, batchDelayMs: 20, endMs: 1 }
  await live(setup, [
    { do: 'load', process: 0 },
    { do: 'submit', deadlineMs: 1, isSecondHalf: false },
    { do: 'block', ms: 1 },
    { do: 'submit', deadlineMs: 1, isSecondHalf: false },
  ])
  t.pass()
})

t.test('a drain does not wait for a job given up beside one that is answered', async t => {
  const setup = { queueSize: 0, processes: 1, batchSize: 2, batchDelayMs: 20, endMs: 1 }
  await live(setup, [
    { do: 'load', process: 0 },
    { do: 'submit', deadlineMs: 60_000, isSecondHalf: false },
    { do: 'submit', deadlineMs: 60_000, isSecondHalf: false },
    { do: 'drain' },
    { do: 'abort', job: 1 },
    { do: 'answer', process: 0, job: 0, how: 'result', times: 1 },
  ])
  t.pass()
})

const ONE = { queueSize: 0, processes: 1, batchSize: 1, batchDelayMs: 0, endMs: 1 }

t.test('a process that is ready too late is given nothing', async t => {
  await live(ONE, [
    { do: 'load', process: 0 },
    { do: 'end', process: 0, signal: false },
    { do: 'pass', ms: 10 },
    { do: 'block', ms: 20_000 },
    { do: 'pass', ms: 0 },
    { do: 'load', process: 0 },
    { do: 'submit', deadlineMs: 1, isSecondHalf: false },
  ])
  t.pass()
})

t.test('a process that says twice that it is ready is watched once', async t => {
  await live(ONE, [
    { do: 'load', process: 0 },
    { do: 'babble', process: 0, what: 'ready' },
    { do: 'pass', ms: 3000 },
  ])
  t.pass()
})

t.test(
  'a process that says that it is ready after it was killed for its slow start is none that jobs may wait for',
  async t => {
    await live(ONE, [
      { do: 'load', process: 0 },
      { do: 'end', process: 0, signal: false },
      { do: 'pass', ms: 10 },
      { do: 'block', ms: 5000 },
      { do: 'submit', deadlineMs: 0, isSecondHalf: false },
      { do: 'load', process: 0 },
      { do: 'submit', deadlineMs: 100, isSecondHalf: true },
    ])
    t.pass()
  },
)

holds('each job is settled once, as promised, whatever happens', fc.asyncProperty(setups, histories, live), 200)
