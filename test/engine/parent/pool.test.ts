import t from 'tap'
import { scriptedEngine, until } from '../../support/fakes/engine.js'

t.setTimeout(240_000)

/** Waits until all processes of a scripted engine are ready; gives their pids. */
async function allReady(scripted: ReturnType<typeof scriptedEngine>, processes: number): Promise<number[]> {
  const ready = () => scripted.lines.filter(({ msg }) => msg === 'engine ready')
  await until(() => ready().length === processes)
  return ready().map(({ engine }) => Number(engine))
}

t.test('each process has its own jobs, and its death costs those alone', async t => {
  const scripted = scriptedEngine(t, 'ready', { processes: 2 })
  const { engine, run, trace } = scripted
  await engine.ready
  const pids = await allReady(scripted, 2)
  const kept = new AbortController()
  const jobs = [trace('slow 100'), trace('slow 100')]
  t.equal(engine.queueSize, 0, 'both are at work')
  t.same((await Promise.all(jobs)).map(({ pid }) => pid).sort(), [...pids].sort())

  const [lost, other] = [run('wait'), run('wait', { signal: kept.signal })]
  const waiting = run('waiting')
  lost.catch(() => {})
  other.catch(() => {})
  // the one that was idle for longest was given the first
  const outcome = Promise.race([lost, other]).catch(error => error.code)
  process.kill(pids[0] as number, 'SIGKILL')
  t.equal(await outcome, 'engine_unavailable')
  t.equal(engine.state, 'ready', 'the other goes on')
  t.equal(await waiting, 'waiting')
  kept.abort()
  await until(() => engine.restarts === 1)
  await allReady(scripted, 3)
})

t.test('an image goes to the process that had it, where that is free', async t => {
  const scripted = scriptedEngine(t, 'ready', { processes: 2 })
  const { engine, trace } = scripted
  await engine.ready
  await allReady(scripted, 2)
  const images = [1, 2].map(value => new Uint8Array(50_000).fill(value))
  const [a, b] = await Promise.all(images.map(image => trace('slow 50', { image })))
  t.not(a?.pid, b?.pid)
  for (const [image, pid] of [
    [images[0], a?.pid],
    [images[0], a?.pid],
    [images[1], b?.pid],
    [images[0], a?.pid],
  ] as const)
    t.equal((await trace('again', { image: image as Uint8Array })).pid, pid)
  const busy = trace('slow 100', { image: images[0] as Uint8Array })
  t.equal((await trace('elsewhere', { image: images[0] as Uint8Array })).pid, b?.pid, 'rather than wait')
  await busy
})

t.test('what waits is shared among idle processes', async t => {
  const scripted = scriptedEngine(t, 'ready', { processes: 2, batchSize: 8, batchDelayMs: 3_600_000, queueSize: 16 })
  const { engine, trace } = scripted
  await engine.ready
  await allReady(scripted, 2)
  const traces = await Promise.all(Array.from({ length: 8 }, () => trace('slow 20')))
  t.same(
    traces.map(({ batch }) => batch),
    Array(8).fill(4),
  )
  t.equal(new Set(traces.map(({ pid }) => pid)).size, 2)
})

t.test('the first loads alone, and is enough; the others are tried until they come', async t => {
  const file = `${t.testdir()}/first`
  const scripted = scriptedEngine(t, `once ${file}`, { processes: 3 })
  const { engine, run, lines } = scripted
  await engine.ready
  await until(() => lines.filter(({ msg }) => /ended with exit code 7/.test(String(msg))).length >= 4)
  t.equal(lines.filter(({ msg }) => msg === 'engine ready').length, 1)
  t.equal(engine.state, 'ready')
  t.equal(await run('a'), 'a')
  t.ok(engine.restarts > 0)
  const numbers = new Set(lines.map(({ process }) => process))
  for (const number of [0, 1, 2]) t.ok(numbers.has(number), `lines tell process ${number}`)
})

t.test('a first load that fails is found out once', async t => {
  const { engine, lines } = scriptedEngine(t, 'fail', { processes: 3 })
  await t.rejects(engine.ready, { code: 'invalid_model' })
  t.equal(engine.state, 'stopped')
  t.equal(lines.filter(({ msg }) => /process started/.test(String(msg))).length, 1)
})

t.test('drain and close stop all of them', async t => {
  const scripted = scriptedEngine(t, 'ready', { processes: 2 })
  const { engine, run } = scripted
  await engine.ready
  const pids = await allReady(scripted, 2)
  const jobs = [run('slow 50'), run('slow 50'), run('c')]
  const drained = engine.drain()
  t.same(await Promise.all(jobs), ['slow', 'slow', 'c'])
  await drained
  t.equal(engine.state, 'stopped')
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

t.test('what each takes', async t => {
  const scripted = scriptedEngine(t, 'ready', { processes: 2, heartbeatMs: 500 })
  const { engine } = scripted
  await engine.ready
  await allReady(scripted, 2)
  t.same([...engine.residentBytes().keys()], [0, 1])
  for (const bytes of engine.residentBytes().values()) t.ok(bytes > 10_000_000 && bytes < 1_000_000_000, `${bytes}`)
  t.same([...(await engine.deviceBytes())], [], 'nothing on a GPU')
  await until(() => engine.scriptMemory().size === 2)
  t.same(engine.scriptMemory().get(1), { heap: 2e6, external: 1e6 })
  await engine.close()
  t.equal(engine.scriptMemory().size, 0)
  t.equal(engine.residentBytes().size, 0)
})
