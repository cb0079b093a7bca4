/** The whole service in this process, everything real but small: the engine's process, tiny models, a socket. */
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import type { Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { engineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'

const model = (name: string) => fileURLToPath(new URL(`../fixtures/models/${name}`, import.meta.url))

/** Resolves once the models have answered; closed with the test. */
export async function startReal(t: Test): Promise<{ url: string }> {
  const config = readConfig({
    CROPPER_MODEL: model('tiny'),
    LOCAL_TARGET_MODEL: model('tiny-hub'),
    GRAPH_CACHE_DIR: 'off',
    EXECUTION_PROVIDER: 'cpu',
    THREADS: '1',
  })
  const log = pino({ level: 'silent' })
  const engine = startEngine(engineOptions(config, configuredCropper(config).needs), log)
  const cropper = configuredCropper(config).make(engine)
  const app = await buildApp({ config, engine, cropper, targets: makeTargets(config, engine), log })
  t.teardown(async () => {
    await app.close()
    await engine.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await engine.ready
  return { url }
}
