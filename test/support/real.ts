/** The whole service in this process, everything real: the engine's process, models, a socket. */
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import type { StartedEngine } from '../../src/engine/engine.js'
import { engineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'

/** A model folder with a tiny network and random weights. */
export const tinyModel = (name: string): string => fileURLToPath(new URL(`../fixtures/models/${name}`, import.meta.url))

/**
 * Resolves once the models have answered; closed with the test.
 * @param env The service's environment, its models at least.
 */
export async function startReal(
  t: Test,
  env: Record<string, string>,
): Promise<{ url: string; app: FastifyInstance; engine: StartedEngine }> {
  const config = readConfig({
    GRAPH_CACHE_DIR: 'off',
    ENGINE_SANDBOX: 'off',
    EXECUTION_PROVIDER: 'cpu',
    THREADS: '1',
    ...env,
  })
  const log = pino({ level: 'silent' })
  const { needs, make } = configuredCropper(config)
  const engine = startEngine(engineOptions(config, needs), log)
  const app = await buildApp({ config, engine, cropper: make(engine), targets: makeTargets(config, engine), log })
  t.teardown(async () => {
    await app.close()
    await engine.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await engine.ready
  return { url, app, engine }
}
