import t from 'tap'
import type { GenerateJob } from '../../../src/engine/protocol.js'
import { scriptedEngine, until } from '../../support/fakes/engine.js'

t.setTimeout(240_000)

/** Longer than the test: what waits for it waits for something else. */
const NEVER_MS = 3_600_000

t.test('an idle process takes what waits, up to the size, in the order of the queue', async t => {
  const { engine, run, trace } = scriptedEngine(t, 'ready', { batchSize: 3, queueSize: 16 })
  await engine.ready
  const first = trace('slow 50')
  const answer: GenerateJob = {
    kind: 'generate',
    model: 'local',
    images: [],
    text: 'answer',
    resolution: null,
    maxTokens: 1,
    temperature: 0,
  }
  const boxes = ['a', 'b', 'c', 'd'].map(script => trace(script))
  const done: string[] = []
  const call = { signal: new AbortController().signal, deadline: Date.now() + 120_000, isSecondHalf: true }
  const answered = engine.run(answer, call).then(() => done.push('answer'))
  const last = run('error').catch(() => done.push('last'))
  t.equal((await first).batch, 1, 'the first found nobody else')
  t.same(
    (await Promise.all(boxes)).map(({ batch }) => batch),
    [3, 3, 3, 3],
    'the answer and two boxes, then two boxes and the one that fails',
  )
  await Promise.all([answered, last])
  t.same(done, ['answer', 'last'])
})

t.test('who gave up while it waited is in no batch', async t => {
  const { engine, trace } = scriptedEngine(t, 'ready', { batchSize: 8, queueSize: 16 })
  await engine.ready
  const running = trace('slow 50')
  const abort = new AbortController()
  const gone = trace('never run', { signal: abort.signal })
  const others = [trace('a'), trace('b')]
  abort.abort()
  await t.rejects(gone, { code: 'request_aborted' })
  await running
  t.same(
    (await Promise.all(others)).map(({ batch }) => batch),
    [2, 2],
  )
})

t.test('one that fails or is given up in a batch costs no other', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { batchSize: 4, queueSize: 16 })
  await engine.ready
  const abort = new AbortController()
  const before = run('slow 50')
  const [failing, given, fine] = [run('error'), run('wait', { signal: abort.signal }), run('fine')]
  await before
  await t.rejects(failing, { code: 'image_undecodable' })
  t.equal(await fine, 'fine')
  abort.abort()
  await t.rejects(given, { code: 'request_aborted' })
  t.equal(await run('next'), 'next', 'the process is free once all of the batch is answered')
  t.equal(engine.restarts, 0)
})

t.test('a job waits for others only so long', async t => {
  const { engine, trace } = scriptedEngine(t, 'ready', { batchSize: 3, batchDelayMs: 30 })
  await engine.ready
  t.equal((await trace('alone')).batch, 1)
  const slow = scriptedEngine(t, 'ready', { batchSize: 3, batchDelayMs: NEVER_MS })
  await slow.engine.ready
  const jobs = [slow.trace('a'), slow.trace('b')]
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(slow.engine.queueSize, 2, 'two are not enough')
  jobs.push(slow.trace('c'))
  t.same(
    (await Promise.all(jobs)).map(({ batch }) => batch),
    [3, 3, 3],
  )
  const last = slow.trace('d')
  const drained = slow.engine.drain()
  t.equal((await last).batch, 1, 'nobody else will come')
  await drained
})

t.test('left alone: one at a time on a CPU, eight on CUDA', async t => {
  for (const [start, sizes] of [
    ['ready', [1, 1, 1]],
    ['cuda', [3, 3, 3]],
  ] as const) {
    const { engine, trace } = scriptedEngine(t, start, { batchSize: null })
    await engine.ready
    const running = trace('slow 50')
    const jobs = ['a', 'b', 'c'].map(script => trace(script))
    await running
    t.same(
      (await Promise.all(jobs)).map(({ batch }) => batch),
      sizes,
    )
  }
})

t.test('a death costs the whole batch and nobody else', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { batchSize: 2, queueSize: 16 })
  const { pid } = await engine.ready
  const first = run('slow 50')
  const [with1, with2, after] = [run('wait'), run('wait'), run('after')]
  const outcomes = Promise.allSettled([with1, with2])
  await first
  await until(() => engine.queueSize === 1)
  process.kill(pid, 'SIGKILL')
  for (const outcome of await outcomes) t.match(outcome, { reason: { code: 'engine_unavailable' } })
  t.equal(await after, 'after')
})
