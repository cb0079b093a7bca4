/** The service as a value: what `main.ts` runs on a port, and what a program or a command may run inside itself. */
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { type Config, readConfig } from './config/service.js'
import type { Env } from './config/variables.js'
import type { Choice } from './cropper/choose.js'
import { type ConfiguredCropper, configuredCropper } from './cropper/croppers.js'
import type { Engine } from './engine/engine.js'
import { engineOptions } from './engine/options.js'
import { startEngine } from './engine/parent/client.js'
import type { EngineInfo } from './engine/protocol.js'
import { buildApp } from './http/app.js'
import { injectedFetch } from './http/injected-fetch.js'
import type { Target } from './target/target.js'
import { makeTargets } from './target/targets.js'

export interface ServiceOptions {
  /** What configures it, as docs/reference/configuration.md says. Default: `process.env`. */
  env?: Env
  /** `stdout`: JSON lines on stdout, from the level that LOG_LEVEL says. Default: nothing is logged. */
  log?: Logger | 'stdout'
}

/** A service whose models are loading, or have been loaded. It listens on no port before `listen` is called. */
export interface Service {
  readonly app: FastifyInstance
  readonly config: Config
  readonly engine: Engine
  readonly targets: ReadonlyMap<string, Target>
  /** Which cropper finds the boxes, and why. */
  readonly choice: Choice
  /** Resolves once the models are loaded. @throws CropVlmError invalid_model, draining, engine_unavailable */
  readonly ready: Promise<EngineInfo>
  /** Listens on HOST and PORT. @returns its address, such as http://127.0.0.1:8080 */
  listen(): Promise<string>
  /** Answers a request without any port, as the global `fetch` would over one; a reply is given when it is complete. */
  readonly fetch: typeof fetch
  /** Answers what is in flight, then ends the engine's processes. A second call waits for the first. */
  close(): Promise<void>
}

/**
 * Makes a service; its models begin to load.
 * @throws CropVlmError invalid_config, with every problem of the variables
 */
export async function createService({ env, log }: ServiceOptions = {}): Promise<Service> {
  const config = readConfig(env)
  const own = () => pino({ level: log === 'stdout' ? config.logLevel : 'silent' })
  return assemble(config, configuredCropper(config), log === 'stdout' || log === undefined ? own() : log)
}

/** The same of a configuration that has been read. */
export async function assemble(
  config: Config,
  { choice, needs, make }: ConfiguredCropper,
  log: Logger,
): Promise<Service> {
  const engine = startEngine(engineOptions(config, needs), log)
  const targets = makeTargets(config, engine)
  const app = await buildApp({ config, engine, cropper: make(engine), targets, log })
  let closing: Promise<void> | undefined
  return {
    app,
    config,
    engine,
    targets,
    choice,
    ready: engine.ready,
    listen: () => app.listen({ host: config.host, port: config.port }),
    fetch: injectedFetch(app),
    close() {
      closing ??= stop(app, engine)
      return closing
    },
  }
}

/** How long the last replies may take to get out, in milliseconds. */
const LAST_REPLIES_MS = 1000

async function stop(app: FastifyInstance, engine: Engine): Promise<void> {
  // the app comes first: a request that it has accepted may still have a job for the engine
  await app.drain()
  await engine.drain()
  // closing waits for all connections that are not idle. One on which no request has come yet, a spare one of a browser
  // or a load balancer, does not count as idle, and is closed here.
  setTimeout(() => app.server.closeAllConnections(), LAST_REPLIES_MS).unref()
  await app.close()
}
