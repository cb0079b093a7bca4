import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scriptedEngine, until } from '../../../support/fakes/engine.js'

t.setTimeout(240_000)

t.test('kill -9 under load costs the running job alone', async t => {
  const { engine, run, lines } = scriptedEngine(t)
  const { pid } = await engine.ready
  const running = run('wait')
  const waiting = [run('a'), run('b'), run('c')]
  running.catch(() => {})
  process.kill(pid, 'SIGKILL')
  await t.rejects(running, { code: 'engine_unavailable', retryAfter: Number })
  t.equal(engine.state, 'restarting')
  const meanwhile = run('d')
  t.same(await Promise.all([...waiting, meanwhile]), ['a', 'b', 'c', 'd'])
  t.equal(engine.state, 'ready')
  t.equal(engine.restarts, 1)
  t.not(engine.info?.pid, pid)
  t.ok(lines.some(({ msg }) => /was killed by SIGKILL; the next starts in 0 ms/.test(String(msg))))
})

t.test('a first load that fails is for good, with the reason', async t => {
  const { engine, run } = scriptedEngine(t, 'fail')
  await t.rejects(engine.ready, { code: 'invalid_model', message: 'model.onnx is missing' })
  t.equal(engine.state, 'stopped')
  await t.rejects(run('a'), { code: 'draining' })
})

t.test('a first load that dies is for good', async t => {
  const { engine } = scriptedEngine(t, 'die')
  await t.rejects(engine.ready, { code: 'engine_unavailable', message: /ended with exit code 7 while it loaded/ })
})

t.test('a first load that takes too long is killed', async t => {
  const { engine } = scriptedEngine(t, 'never', { startTimeoutMs: 50 })
  await t.rejects(engine.ready, { code: 'engine_unavailable', message: /was not ready within 50 ms/ })
})

t.test('closing while loading rejects ready', async t => {
  const { engine } = scriptedEngine(t, 'never')
  await engine.close()
  await t.rejects(engine.ready, { code: 'draining' })
})

t.test('jobs that kill the process do not take others along, however many', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const jobs = ['crash', 'crash', 'a', 'crash', 'b'].map(script => run(script))
  const outcomes = await Promise.allSettled(jobs)
  t.same(
    outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code)),
    ['engine_unavailable', 'engine_unavailable', 'a', 'engine_unavailable', 'b'],
  )
  t.equal(engine.restarts, 3)
})

t.test('a process that cannot start any more: 503 meanwhile, and back once it can', async t => {
  const file = join(t.testdir({ model: 'here' }), 'model')
  const { engine, run } = scriptedEngine(t, file)
  await engine.ready
  const outcomes = Promise.allSettled([run(`remove ${file}`), run('waiting')])
  for (const outcome of await outcomes) t.match(outcome, { reason: { code: 'engine_unavailable', retryAfter: Number } })
  t.notOk(existsSync(file))
  await t.rejects(run('refused'), { code: 'engine_unavailable' })
  await until(() => engine.restarts > 2)
  writeFileSync(file, 'here again')
  await until(() => engine.state === 'ready')
  t.equal(await run('back'), 'back')
})

t.test('a system that has no process to give is waited for, too', async t => {
  const execArgv: string[] = []
  const { engine, run, lines } = scriptedEngine(t, 'ready', { execArgv })
  await engine.ready
  // an argument that no process can have: starting one throws, as it does without memory
  execArgv.push('\0')
  await t.rejects(run('crash'), { code: 'engine_unavailable' })
  await until(() => lines.filter(({ msg }) => /could not be started/.test(String(msg))).length > 1)
  await t.rejects(run('refused'), { code: 'engine_unavailable' })
  execArgv.pop()
  await until(() => engine.state === 'ready')
  t.equal(await run('back'), 'back')
  const never = scriptedEngine(t, 'ready', { execArgv: ['\0'] })
  await t.rejects(never.engine.ready, { code: 'engine_unavailable', message: /could not be started/ })
})

t.test('a process that hangs on a job given up is killed', async t => {
  const { engine, run, lines } = scriptedEngine(t, 'ready', { hangMs: 200 })
  await engine.ready
  const hung = run('hang', { deadlineMs: 50 })
  const next = run('next')
  await t.rejects(hung, { code: 'deadline_exceeded' })
  t.equal(await next, 'next')
  t.equal(engine.restarts, 1)
  t.ok(lines.some(({ msg }) => /did not react for 200 ms after job 1/.test(String(msg))))
})

t.test('drain finishes waiting jobs through a crash', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  const [crash, after] = [run('crash'), run('after')]
  const drained = engine.drain()
  await t.rejects(crash, { code: 'engine_unavailable' })
  t.equal(await after, 'after')
  await drained
  t.equal(engine.state, 'stopped')
})

t.test('a process that hangs is found by its silence, and the engine says so', async t => {
  const { engine, run, lines } = scriptedEngine(t, 'ready', { heartbeatMs: 500 })
  await engine.ready
  const hung = run('hang')
  const next = run('a')
  await t.rejects(hung, { code: 'engine_unavailable' })
  t.equal(engine.state, 'restarting')
  t.equal(await next, 'a')
  t.ok(lines.some(({ msg }) => /gave no sign of life for 500 ms and was killed/.test(String(msg))))
})

t.test('a process that answers late, or works for longer than the limit between jobs, lives', async t => {
  const { engine, run } = scriptedEngine(t, 'ready', { heartbeatMs: 500 })
  const { pid } = await engine.ready
  t.equal(await run('slow 1200'), 'slow')
  t.equal(engine.info?.pid, pid)
  t.equal(engine.restarts, 0)
})

t.test('no numbers, three times in a row: the process is replaced', async t => {
  const { engine, run } = scriptedEngine(t)
  await engine.ready
  for (const script of ['nan', 'nan', 'a', 'nan', 'nan', 'template', 'template', 'template'])
    await run(script).catch(error => t.match(error, { code: 'model_failed' }, script))
  t.equal(engine.restarts, 0, 'an answer between begins anew, and what took too long does not count')
  await t.rejects(run('nan'), { code: 'model_failed' })
  t.equal(await run('a'), 'a')
  t.equal(engine.restarts, 1)
  t.equal(engine.modelFailures, 8)
})

t.test('three jobs in a row fail for no reason of theirs: the process is replaced', async t => {
  const { engine, run, lines } = scriptedEngine(t)
  await engine.ready
  for (const script of ['broken', 'broken', 'a', 'broken', 'broken', 'error'])
    await run(script).catch(error => t.match(error, { code: /internal_error|image_undecodable/ }, script))
  t.equal(engine.restarts, 0, 'an answer between begins anew, and a bad picture does not count')
  await t.rejects(run('broken'), { code: 'internal_error' })
  t.equal(await run('a'), 'a')
  t.equal(engine.restarts, 1)
  t.ok(lines.some(({ msg }) => /failed 3 jobs in a row and was killed/.test(String(msg))))
})

const LIMIT = 160 * 2 ** 20
const onlyLinux = { skip: process.platform === 'linux' ? false : 'Linux alone tells' }

t.test('a start that takes more memory than it may is ended, with what it was doing', onlyLinux, async t => {
  const { engine } = scriptedEngine(t, 'grow', { worker: { memoryLimit: LIMIT } })
  await t.rejects(engine.ready, {
    code: 'engine_unavailable',
    message:
      /took \d+ MiB of memory, more than MODEL_MEMORY_LIMIT \(160 MiB\), and was killed while it was opening \/models\/m\/model\.onnx\. Raise MODEL_MEMORY_LIMIT/,
  })
  t.equal(engine.memoryKills, 1)
})

t.test('what a stranger wrote may take little when it is tried', onlyLinux, async t => {
  const { engine } = scriptedEngine(t, 'trial')
  await t.rejects(engine.ready, {
    code: 'invalid_model',
    message:
      '/models/m/chat_template.json: what is in it took more than 64 MiB of memory when it was tried, and was ended. Fetch or export the model again, from a source that you trust.',
  })
  t.equal(engine.memoryKills, 0, 'MODEL_MEMORY_LIMIT has nothing to do with it')
})

t.test('a job that takes more memory than it may costs its process, and is counted', onlyLinux, async t => {
  const { engine, run, lines } = scriptedEngine(t, 'ready', { worker: { memoryLimit: LIMIT } })
  const { pid } = await engine.ready
  const [grown, next] = [run('grow'), run('next')]
  await t.rejects(grown, { code: 'engine_unavailable', message: /being restarted; try again/, retryAfter: Number })
  t.equal(await next, 'next')
  t.not(engine.info?.pid, pid)
  t.same([engine.memoryKills, engine.restarts], [1, 1])
  t.ok(lines.some(({ msg }) => /more than MODEL_MEMORY_LIMIT \(160 MiB\), and was killed/.test(String(msg))))
})

t.test('what a start is doing is told: meanwhile, and where it takes too long', async t => {
  const { engine } = scriptedEngine(t, 'stuck', { startTimeoutMs: 3000 })
  await until(() => engine.step !== null)
  await until(() => engine.step?.startsWith('opening') === true)
  t.match(engine.step, /^opening model\.onnx, for \d+ s$/, 'without the folders of this machine')
  await t.rejects(engine.ready, {
    message:
      /was not ready within 3000 ms and was killed while it was opening \/models\/m\/model\.onnx\. Take a smaller/,
  })
  t.equal(engine.step, null)
})
