import t from 'tap'
import { scriptedEngine } from '../../support/fakes/engine.js'

t.setTimeout(240_000)

t.test('a job that would be late is refused at once, with when to come back', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { queueSize: 64 })
  await engine.ready
  await run('slow 1000')
  const abort = new AbortController()
  const running = run('wait', { signal: abort.signal })
  const waiting = Array.from({ length: 4 }, (_, i) => run(`job${i}`))
  // four and itself, a second each
  await t.rejects(run('late', { deadlineMs: 4000 }), {
    code: 'queue_full',
    message: /^4 requests are waiting already: this one would take \d+ s or more/,
    retryAfter: Number,
  })
  t.equal(engine.queueSize, 4)
  const accepted = run('in time', { deadlineMs: 120_000 })
  t.equal(engine.queueSize, 5)
  abort.abort()
  await t.rejects(running, { code: 'request_aborted' })
  t.same(await Promise.all([...waiting, accepted]), ['job0', 'job1', 'job2', 'job3', 'in'])
})

t.test('nothing is refused so before anything was measured', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const abort = new AbortController()
  const running = run('wait', { signal: abort.signal })
  await t.rejects(run('waits', { deadlineMs: 50 }), { code: 'deadline_exceeded' })
  abort.abort()
  await t.rejects(running, { code: 'request_aborted' })
})

t.test('an idle engine takes a job that it would not have expected to finish', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  await run('slow 4000')
  t.equal(await run('quick', { deadlineMs: 3900 }), 'quick')
})

t.test('what comes too late whatever it is can be told before it is received', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { queueSize: 3 })
  await engine.ready
  const inMs = (ms: number) => () => engine.checkRoom(Date.now() + ms)
  t.doesNotThrow(inMs(1), 'it is idle')
  await run('slow 1000')
  const abort = new AbortController()
  const running = run('wait', { signal: abort.signal })
  const waiting = [run('a'), run('b')]
  // a second each for those two
  t.throws(inMs(1900), { code: 'queue_full', message: /^2 requests are waiting already/ })
  t.doesNotThrow(inMs(60_000))
  waiting.push(run('c'))
  t.throws(inMs(60_000), { code: 'queue_full', message: /^3 requests are waiting already, which is the limit/ })
  abort.abort()
  await t.rejects(running, { code: 'request_aborted' })
  t.same(await Promise.all(waiting), ['a', 'b', 'c'])
  await engine.drain()
  t.throws(inMs(60_000), { code: 'draining' })
})
