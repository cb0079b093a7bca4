import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { engineOptions } from '../../src/engine/options.js'

t.test('the engine runs the cropper and every local target', async t => {
  const TARGETS = JSON.stringify([
    { name: 'far', base_url: 'http://localhost/v1', model: 'm', api_key: 'secret' },
    { name: 'near', model: 'local:/models/near', precision: 'int8' },
  ])
  const options = engineOptions(
    readConfig({
      TARGETS,
      CROPPER_MODEL: '/models/cropper',
      THREADS: '2',
      QUEUE_SIZE: '5',
      CONSTRAINED_DECODING: 'off',
    }),
  )
  t.same(options.worker, {
    cropper: { dir: resolve('/models/cropper'), precision: null },
    targets: [{ name: 'near', dir: resolve('/models/near'), precision: 'int8' }],
    executionProvider: 'auto',
    threads: 2,
    verifyHashes: true,
    constrained: false,
    limits: { maxPixels: 50_000_000, maxAspect: 100 },
  })
  t.equal(options.queueSize, 5)
  t.ok(existsSync(options.module), 'the module of the engine process is where it is looked for')
  t.notMatch(JSON.stringify(options), /secret/)
})
