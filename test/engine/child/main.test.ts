import { cpSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config/service.js'
import { FULL_BOX } from '../../../src/contract/box.js'
import { configuredCropper } from '../../../src/cropper/croppers.js'
import { engineOptions } from '../../../src/engine/options.js'
import { startEngine } from '../../../src/engine/parent/client.js'
import type { GenerateJob, LocateJob } from '../../../src/engine/protocol.js'
import { compiledService } from '../../support/compiled.js'
import { until } from '../../support/fakes/engine.js'

t.setTimeout(240_000)

const module = pathToFileURL(join(compiledService(), 'engine/child/main.js'))
const tiny = resolve(import.meta.dirname, '../../fixtures/models/tiny')
const image = await sharp({ create: { width: 640, height: 480, channels: 3, background: 'teal' } })
  .jpeg()
  .toBuffer()
const job: LocateJob = { kind: 'locate', image, questions: ['What?'], resolution: null, keepPixels: false }

function start(t: Test, env: Record<string, string> = {}) {
  const models = { CROPPER_MODEL: tiny, LOCAL_TARGET_MODEL: tiny, EXECUTION_PROVIDER: 'cpu' }
  const config = readConfig({ ...models, GRAPH_CACHE_DIR: 'off', ENGINE_SANDBOX: 'off', ...env })
  const engine = startEngine(
    { ...engineOptions(config, configuredCropper(config).needs), module, execArgv: [] },
    pino({ level: 'silent' }),
  )
  t.teardown(() => engine.close())
  const call = () => ({ signal: new AbortController().signal, deadline: Date.now() + 120_000 })
  return { engine, call }
}

t.test('the real process: ready, a box, an answer, a death, a box', async t => {
  const { engine, call } = start(t, { THREADS: '1', PREFIX_CACHE_BYTES: '0', ENGINE_HEARTBEAT_MS: '500' })
  const info = await engine.ready
  t.match(info, {
    models: [
      { id: 'tiny', role: 'cropper', defaultResolution: 64 },
      { id: 'tiny', role: 'target' },
    ],
    executionProvider: 'cpu',
    executionProviderReason: /cpu/,
  })
  t.not(info.pid, process.pid)
  await until(() => engine.scriptMemory().size === 1)
  const { heap = 0, external = 0 } = engine.scriptMemory().get(0) ?? {}
  t.ok(heap > 1e6 && external > 1e5, `${heap} bytes in V8's heap, ${external} outside`)
  const first = await engine.run({ ...job, keepPixels: true }, call())
  t.match(first, { boxes: [{ decision: 'fallback', reason: 'not_a_cropper' }], image: { width: 640, height: 480 } })
  const region = first.boxes[0]?.box ?? FULL_BOX
  const picture = { show: 'region', region, packing: 'small', format: 'jpeg', quality: 90, longestEdge: null } as const
  const cut = await engine.run({ kind: 'render', image, pictures: [picture] }, call())
  t.equal((await sharp(cut.pictures[0]?.bytes).metadata()).format, 'jpeg')
  const question: GenerateJob = {
    kind: 'generate',
    model: 'local',
    images: [image],
    text: 'What?',
    resolution: null,
    maxTokens: 2,
    temperature: 0,
  }
  t.match(await engine.run(question, call()), { finishReason: 'length', usage: { completionTokens: 2 } })
  await t.rejects(engine.run({ ...job, image: new Uint8Array([1, 2, 3]) }, call()), {
    code: 'unsupported_image_format',
  })

  // long enough at work not to be done before it is killed
  const questions = Array.from({ length: 32 }, (_, i) => `What is in field ${i}?`)
  const running = engine.run({ ...job, questions, resolution: 256 }, call())
  const waiting = engine.run(job, call())
  process.kill(info.pid, 'SIGKILL')
  await t.rejects(running, { code: 'engine_unavailable' })
  t.same((await waiting).boxes[0]?.box, first.boxes[0]?.box)
  t.equal(engine.restarts, 1)
})

t.test('Ctrl-C in the terminal does not reach the models', async t => {
  const { engine, call } = start(t)
  const { pid } = await engine.ready
  process.kill(pid, 'SIGINT')
  process.kill(pid, 'SIGTERM')
  t.match(await engine.run(job, call()), { kind: 'locate' })
  t.equal(engine.restarts, 0)
})

t.test('an engine without models makes pictures, and is ready at once', async t => {
  const config = readConfig({ GRAPH_CACHE_DIR: 'off' })
  const options = engineOptions(config, { cropper: null, ocr: false })
  const worker = { ...options.worker, targets: [], ocr: false }
  const engine = startEngine({ ...options, worker, module, execArgv: [] }, pino({ level: 'silent' }))
  t.teardown(() => engine.close())
  t.match(await engine.ready, { models: [], executionProvider: null, executionProviderReason: 'no model is loaded' })
  const { signal } = new AbortController()
  const call = { signal, deadline: Date.now() + 120_000 }
  const whole = {
    show: 'whole',
    region: FULL_BOX,
    packing: 'fast',
    format: 'png',
    quality: 90,
    longestEdge: 64,
  } as const
  const { pictures, image: size } = await engine.run({ kind: 'render', image, pictures: [whole] }, call)
  t.same(size, { width: 640, height: 480 })
  t.match(pictures, [{ mediaType: 'image/png', width: 64, height: 48 }])
  await t.rejects(engine.run(job, call), { code: 'internal_error', message: /without a cropper/ })
})

t.test('a model folder that cannot be used: the file is named', async t => {
  const dir = join(t.testdir(), 'broken')
  cpSync(tiny, dir, { recursive: true })
  rmSync(join(dir, 'onnx/vision_encoder.onnx'))
  const { engine } = start(t, { CROPPER_MODEL: dir })
  await t.rejects(engine.ready, { code: 'invalid_model', message: /vision_encoder\.onnx/ })
})

t.test('a provider that cannot be had is an error, not another provider', async t => {
  const { engine } = start(t, { EXECUTION_PROVIDER: 'cuda' })
  await engine.ready.then(
    info => t.equal(info.executionProvider, 'cuda', 'this machine has CUDA'),
    error => t.match(error, { code: 'invalid_config', message: /EXECUTION_PROVIDER=cuda/ }),
  )
})

t.test('processes map the same optimised graphs, and answer what plain ones do', async t => {
  const dir = join(t.testdir(), 'cache')
  const plain = start(t)
  await plain.engine.ready
  const expected = await plain.engine.run(job, plain.call())
  const { engine, call } = start(t, { GRAPH_CACHE_DIR: dir, ENGINE_PROCESSES: '2' })
  await engine.ready
  while (engine.residentBytes().size < 2 || (await bothAnswer()) < 2);
  // those of the cropper; the target is the same model
  const entries = readdirSync(dir)
  t.equal(entries.length, 3)
  t.ok(entries.every(name => /^[0-9a-f]{64}-[\d.]+-[0-9a-f]{12}$/.test(name)))

  /** How many processes are at work when two jobs are there; what they answer is compared. */
  async function bothAnswer(): Promise<number> {
    const jobs = [engine.run(job, call()), engine.run(job, call())]
    const atWork = 2 - engine.queueSize
    for (const { boxes } of await Promise.all(jobs)) t.same(boxes[0]?.box, expected.boxes[0]?.box)
    return atWork
  }
})
