import t from 'tap'
import { scriptedEngine } from './scripted-engine.js'

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
