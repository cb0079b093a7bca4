import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import t from 'tap'
import type { EngineOptions } from '../../../../src/engine/options.js'
import { chooseSandbox } from '../../../../src/engine/parent/sandbox/choose.js'
import { NO_SANDBOX } from '../../../support/bubblewrap.js'
import { NO_MODELS, scriptedEngine } from '../../../support/fakes/engine.js'

t.setTimeout(240_000)

/** Where tap has every process write a note when it ends: that has to be a folder which may be written in the sandbox. */
const NOTES_OF_TAP = '_TAPJS_PROCESSINFO_CWD_'
const module = new URL('../../../support/fakes/processes/intruder.mjs', import.meta.url)
const graph = resolve(import.meta.dirname, '../../../fixtures/models/tiny/onnx/embed_tokens.onnx')
const worker = (graphCacheDir: string | null): EngineOptions['worker'] => ({
  ...NO_MODELS,
  cropper: { dir: resolve(graph, '../..'), precision: null },
  graphCacheDir,
})

t.test('what an engine process can do, without a sandbox and in one', async t => {
  const cache = join(t.testdir(), 'made', 'cache')
  process.env[NOTES_OF_TAP] = cache
  const outside = join(t.testdirName, 'outside')
  const inTmp = mkdtempSync(join(tmpdir(), 'cropvlm-test-'))
  writeFileSync(join(inTmp, 'file'), '')
  t.teardown(() => rmSync(inTmp, { recursive: true, force: true }))
  let calls = 0
  const server = createServer(socket => {
    calls += 1
    socket.destroy()
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  process.env.A_SECRET_KEY = 'secret'
  t.teardown(() => delete process.env.A_SECRET_KEY)
  const writes = (path: string) => [
    `write ${path}`,
    `libvips ${path}`,
    `onnxruntime ${path} ${graph}`,
    `program ${path}`,
  ]

  await t.test('without one, all of it', async t => {
    const { run, engine } = scriptedEngine(t, 'ready', { module, worker: worker(cache) })
    await engine.ready
    t.same(engine.sandbox, { name: null, reason: 'ENGINE_SANDBOX is off.', command: [] })
    for (const attempt of [...writes(outside), `connect ${port}`, `kill ${process.pid}`]) {
      t.equal(await run(attempt), 'done', attempt)
      rmSync(outside, { force: true })
    }
    t.equal(calls, 1)
    t.match(JSON.parse(await run('as')), { secret: null }, 'keys are no business of it')
  })

  await t.test('in one, nothing of it', { skip: NO_SANDBOX }, async t => {
    const { run, engine, lines } = scriptedEngine(t, 'ready', { module, worker: worker(cache), sandbox: 'on' })
    const { pid } = await engine.ready
    t.match(engine.sandbox, { name: 'bubblewrap', reason: /no network/ })
    t.ok(lines.some(({ msg }) => msg === `bubblewrap: ${engine.sandbox.reason}`))
    for (const attempt of writes(outside))
      t.match(await run(attempt), /read-only|EROFS|unable to open|open file/i, attempt)
    t.notOk(existsSync(outside))
    t.match(await run(`connect ${port}`), /ECONNREFUSED/)
    t.equal(calls, 1, 'nobody has come but the one of before')
    t.match(await run(`kill ${process.pid}`), /ESRCH/)
    t.match(await run('write /proc/sys/kernel/core_pattern'), /EROFS|EACCES/)
    t.equal(await run(`sees ${inTmp}`), 'false', "other programs' temporary files")
    t.same(JSON.parse(await run('as')), {
      pid: 2,
      networks: ['lo'],
      temporary: '/tmp',
      status: { CapEff: '0000000000000000', NoNewPrivs: '1' },
      secret: null,
    })
    // what it may do
    for (const [i, attempt] of writes(join(cache, 'file')).entries()) {
      t.equal(await run(attempt), 'done', attempt)
      t.ok(existsSync(join(cache, 'file')), `${i}`)
      rmSync(join(cache, 'file'))
    }
    t.equal(await run('libvips /tmp/large.png'), 'done')
    t.notOk(existsSync('/tmp/large.png'), 'a folder of its own')
    // the parent knows it by the id that it has outside
    t.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /^[^\0]*node\0.*intruder\.mjs/)
    t.match([...engine.residentBytes().values()], [Number])
    t.ok((engine.residentBytes().get(0) ?? 0) > 30e6, 'the memory of Node, not of bwrap')
    for (const [attempt, how] of [
      ['die SIGKILL', 'was killed by SIGKILL'],
      ['leave 3', 'ended with exit code 3'],
    ] as const) {
      await t.rejects(run(attempt, { deadlineMs: 30_000 }), { code: 'engine_unavailable' }, attempt)
      t.ok(
        lines.some(({ msg }) => String(msg).startsWith(`the engine process ${how};`)),
        how,
      )
      t.equal(JSON.parse(await run('as')).pid, 2, 'another has come')
    }
    t.equal(engine.restarts, 2)
  })
})

t.test('a module, a model and a cache in the temporary folder are seen', { skip: NO_SANDBOX }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'cropvlm-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'model'), '')
  process.env[NOTES_OF_TAP] = join(folder, 'cache')
  const given = { ...worker(join(folder, 'cache')), cropper: { dir: folder, precision: null } }
  const { run, engine } = scriptedEngine(t, 'ready', { module, worker: given, sandbox: 'on' })
  await engine.ready
  t.equal(await run(`sees ${join(folder, 'model')}`), 'true')
  t.match(await run(`write ${join(folder, 'model')}`), /EROFS/)
  t.equal(await run(`write ${join(folder, 'cache', 'file')}`), 'done')
  t.ok(existsSync(join(folder, 'cache', 'file')))
})

t.test('with a graphics card, auto makes none: it has not been tried with one', async t => {
  const gpu = { ...worker(null), executionProvider: 'auto' } as const
  const options = { module, worker: gpu, sandbox: 'auto' } as EngineOptions
  t.match(chooseSandbox(options, ['/dev/nvidia0']), {
    name: null,
    reason: /graphics card \(\/dev\/nvidia0\)/,
    command: [],
  })
  const onCpu = { ...options, worker: { ...gpu, executionProvider: 'cpu' } } as EngineOptions
  t.notMatch(chooseSandbox(onCpu, ['/dev/nvidia0']).reason, /graphics card/, 'models on the CPU do not need it')
})

t.test('where there can be none: on says why and what to do, auto goes on without', async t => {
  const { PATH } = process.env
  t.teardown(() => {
    process.env.PATH = PATH
  })
  process.env.PATH = t.testdir()
  const options = { module, worker: worker(null) } as EngineOptions
  t.throws(() => chooseSandbox({ ...options, sandbox: 'on' }), {
    code: 'invalid_config',
    message: /ENGINE_SANDBOX=on, but bwrap is not installed; install bubblewrap.*ENGINE_SANDBOX=auto/,
  })
  const none = chooseSandbox({ ...options, sandbox: 'auto' })
  t.match(none, { name: null, reason: /^Bwrap is not installed; install bubblewrap/, command: [] })
  // a machine that gives no namespaces
  const refusing = t.testdir({ bwrap: '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n' })
  const { chmodSync } = await import('node:fs')
  chmodSync(join(refusing, 'bwrap'), 0o755)
  process.env.PATH = refusing
  t.throws(() => chooseSandbox({ ...options, sandbox: 'on' }), {
    code: 'invalid_config',
    message: /No permissions to create new namespace.*containers/,
  })
})
