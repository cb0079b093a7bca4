import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { defaultMemoryLimit } from '../../src/engine/memory-limit.js'
import { engineOptions } from '../../src/engine/options.js'
import { defaultThreads } from '../../src/engine/threads.js'

t.test('the engine runs the cropper and every local target', async t => {
  const TARGETS = JSON.stringify([
    { name: 'far', base_url: 'http://localhost/v1', model: 'm', api_key: 'secret' },
    { name: 'near', model: 'local:/models/near', precision: 'int8' },
  ])
  const config = readConfig({
    TARGETS,
    CROPPER_MODEL: '/models/cropper',
    THREADS: '2',
    QUEUE_SIZE: '5',
    ENGINE_PROCESSES: '3',
    BATCH_SIZE: '4',
    BATCH_DELAY_MS: '7',
    GRAPH_CACHE_DIR: '/cache',
    MODEL_MEMORY_LIMIT: '3000000000',
    PREFIX_CACHE_BYTES: '7000000',
    CONSTRAINED_DECODING: 'off',
  })
  const options = engineOptions(config, configuredCropper(config).needs)
  t.same(options.worker, {
    cropper: { dir: resolve('/models/cropper'), precision: null },
    targets: [{ name: 'near', dir: resolve('/models/near'), precision: 'int8' }],
    ocr: false,
    executionProvider: 'auto',
    threads: 2,
    graphCacheDir: resolve('/cache'),
    memoryLimit: 3_000_000_000,
    prefixCacheBytes: 7_000_000,
    verifyHashes: true,
    constrained: false,
    limits: { maxPixels: 50_000_000, maxAspect: 100 },
  })
  t.match(options, { queueSize: 5, processes: 3, batchSize: 4, batchDelayMs: 7 })
  t.ok(existsSync(options.module), 'the module of the engine process is where it is looked for')
  t.notMatch(JSON.stringify(options), /secret/)
})

t.test('a process may hold a share of the memory where nobody says how much', async t => {
  const { worker } = engineOptions(readConfig({}), { cropper: null, ocr: false })
  t.equal(worker.memoryLimit, defaultMemoryLimit())
})

t.test('processes share the cores', async t => {
  const threads = (env: Record<string, string>) =>
    engineOptions(readConfig(env), { cropper: null, ocr: false }).worker.threads
  t.equal(threads({}), defaultThreads())
  t.equal(threads({ ENGINE_PROCESSES: '2' }), Math.max(1, Math.floor(defaultThreads() / 2)))
  t.equal(threads({ ENGINE_PROCESSES: '256' }), 1)
  t.equal(threads({ ENGINE_PROCESSES: '2', THREADS: '5' }), 5)
})

t.test('the text reader is loaded where the cropper or a target reads', async t => {
  const reads = (env: Record<string, string>) => {
    const config = readConfig(env)
    return engineOptions(config, configuredCropper(config).needs).worker
  }
  t.match(reads({ CROPPER: 'text' }), { ocr: true, cropper: null })
  const onnx = { CROPPER_MODEL: 'models/cropvlm-mini' }
  t.match(reads({}), { ocr: true, cropper: null }, 'where nothing is configured')
  t.match(reads({ ...onnx, TARGET_MODEL: 'local:text' }), { ocr: true, targets: [] })
  t.match(reads({ ...onnx, TARGET_MODEL: 'local:./text' }), { ocr: false, targets: [{ dir: resolve('text') }] })
})
