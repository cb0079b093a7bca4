/** The services that the page is walked on: one set of real models behind two doors. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import type { Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { engineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'

export const KEY = 'sesame'

const MODELS = { CROPPER_MODEL: 'models/cropvlm-mini', GRAPH_CACHE_DIR: 'off', EXECUTION_PROVIDER: 'cpu', THREADS: '1' }
const MINI = { name: 'mini', model: 'local:models/smolvlm-mini' }

export interface Services {
  /** Two targets, `mini` and `down`. */
  open: string
  /** One target; asks for `KEY`. */
  keyed: string
}

/** Both with the bundled models in one engine process; closed with the test. */
export async function startServices(t: Test): Promise<Services> {
  const down = { name: 'down', base_url: `http://127.0.0.1:${await closedPort()}/v1`, model: 'gone' }
  const open = readConfig({ ...MODELS, TARGETS: JSON.stringify([MINI, down]), TARGET_BREAKER_FAILURES: '0' })
  const keyed = readConfig({ ...MODELS, TARGETS: JSON.stringify([MINI]), API_KEY: KEY })
  const log = pino({ level: 'silent' })
  const { needs, make } = configuredCropper(open)
  const engine = startEngine(engineOptions(open, needs), log)
  t.teardown(() => engine.close())
  const [first, second] = await Promise.all(
    [open, keyed].map(async config => {
      const cropper = make(engine)
      const app = await buildApp({ config, engine, cropper, targets: makeTargets(config, engine), log })
      t.teardown(() => app.close())
      return await app.listen({ host: '127.0.0.1', port: 0 })
    }),
  )
  await engine.ready
  return { open: String(first), keyed: String(second) }
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise(done => server.close(done))
  return port
}
