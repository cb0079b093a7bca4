import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import type { GenerateJob, LocateJob } from '../../../src/engine/protocol.js'
import { scriptedEngine, until } from '../../support/fakes/engine.js'

t.setTimeout(240_000)

t.test('runs jobs in order, and tells how long they waited', async t => {
  const { engine, run, lines } = scriptedEngine(t)
  t.equal(engine.state, 'loading')
  t.equal(engine.info, null)
  await t.rejects(run('early'), { code: 'not_ready', retryAfter: Number })
  const info = await engine.ready
  t.equal(engine.state, 'ready')
  t.same(engine.info, info)
  const done: string[] = []
  await Promise.all(['slow 20', 'b', 'c'].map(script => run(script).then(raw => done.push(raw))))
  t.same(done, ['slow', 'b', 'c'])
  t.ok(lines.some(line => line.msg === 'scripted engine starts' && line.engine === info.pid))
  t.equal(engine.restarts, 0)
})

t.test('gives back the error of a job with its code', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  await t.rejects(run('error'), { code: 'image_undecodable', message: 'bad image', param: 'image' })
  t.equal(await run('next'), 'next')
})

t.test('refuses when the queue is full, with a Retry-After', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { queueSize: 2 })
  await engine.ready
  const accepted = [run('slow 100'), run('a'), run('b')]
  t.equal(engine.queueSize, 2)
  await t.rejects(run('c'), { code: 'queue_full', retryAfter: 3 })
  t.same(await Promise.all(accepted), ['slow', 'a', 'b'])
  t.equal(engine.queueSize, 0)
  t.equal(await run('d'), 'd')
})

t.test('a second half goes before boxes not begun, and is not refused for a full queue', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { queueSize: 1 })
  await engine.ready
  const done: string[] = []
  const note = (name: string) => () => done.push(name)
  const boxes = [run('slow 50').then(note('begun')), run('box').then(note('box'))]
  await t.rejects(run('refused'), { code: 'queue_full' })
  const answers = ['first', 'second'].map(text => {
    const job: GenerateJob = {
      kind: 'generate',
      model: 'local',
      images: [],
      text,
      resolution: null,
      maxTokens: 1,
      temperature: 0,
    }
    const { signal } = new AbortController()
    return engine.run(job, { signal, deadline: Date.now() + 120_000, isSecondHalf: true }).then(note(text))
  })
  await Promise.all([...boxes, ...answers])
  t.same(done, ['begun', 'first', 'second', 'box'])
})

t.test('an abort removes a waiting job at once and frees the engine from a running one', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const [first, second] = [new AbortController(), new AbortController()]
  const running = run('wait', { signal: first.signal })
  const waiting = run('never run', { signal: second.signal })
  const last = run('last')
  t.equal(engine.queueSize, 2)
  second.abort()
  await t.rejects(waiting, { code: 'request_aborted' })
  t.equal(engine.queueSize, 1)
  first.abort()
  await t.rejects(running, { code: 'request_aborted' })
  t.equal(await last, 'last')
  t.equal(engine.restarts, 0)
  await t.rejects(run('x', { signal: AbortSignal.abort() }), { code: 'request_aborted' })
})

t.test('a job given up does not keep its image', async t => {
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  // more than the test has: the watch over a hung engine must not hold the image meanwhile
  const { engine, run } = scriptedEngine(t, 'ready', { hangMs: 3_600_000 })
  await engine.ready
  const giveUp = async () => {
    const abort = new AbortController()
    const image = new Uint8Array(1e6)
    const job: LocateJob = { kind: 'locate', image, questions: ['wait'], resolution: null, keepPixels: false }
    const running = engine.run(job, { signal: abort.signal, deadline: Date.now() + 120_000 })
    abort.abort()
    await t.rejects(running, { code: 'request_aborted' })
    return new WeakRef(image)
  }
  const image = await giveUp()
  t.equal(await run('next'), 'next')
  await until(() => {
    collect()
    return image.deref() === undefined
  })
  t.equal(engine.restarts, 0)
})

t.test('a deadline ends the wait of queued and running jobs', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const running = run('wait', { deadlineMs: 60 })
  const waiting = run('never run', { deadlineMs: 30 })
  await t.rejects(waiting, { code: 'deadline_exceeded', message: /queue/ })
  await t.rejects(running, { code: 'deadline_exceeded', message: /at work/ })
  await t.rejects(run('late', { deadlineMs: 0 }), { code: 'deadline_exceeded' })
  t.equal(await run('next'), 'next')
})

t.test('drain finishes what was accepted, refuses the rest, and stops the process', async t => {
  const { engine, run } = scriptedEngine(t)
  const { pid } = await engine.ready
  const accepted = [run('slow 50'), run('b')]
  const drained = engine.drain()
  t.equal(engine.state, 'draining')
  await t.rejects(run('c'), { code: 'draining' })
  t.same(await Promise.all(accepted), ['slow', 'b'])
  await drained
  t.equal(engine.state, 'stopped')
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  await t.rejects(run('d'), { code: 'draining' })
})

t.test('drain does not wait for jobs that nobody waits for', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { hangMs: 600_000, stopMs: 50 })
  await engine.ready
  const abort = new AbortController()
  const hung = run('hang', { signal: abort.signal })
  abort.abort()
  await t.rejects(hung, { code: 'request_aborted' })
  await engine.drain()
  t.equal(engine.state, 'stopped')
})

t.test('close rejects what is there', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const jobs = [run('wait'), run('b')]
  const outcomes = Promise.allSettled(jobs)
  await engine.close()
  for (const outcome of await outcomes) t.match(outcome, { status: 'rejected', reason: { code: 'draining' } })
  await until(() => engine.state === 'stopped')
})
