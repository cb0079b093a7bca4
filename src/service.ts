/** The service as a value: what `main.ts` runs on a port, and what a program or a command may run inside itself. */
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { misspeltVariables, noting } from './config/misspelt.js'
import { bundledFolders, missingFolders } from './config/model-folder.js'
import { type Config, OPTIONS, readConfig } from './config/service.js'
import type { Env } from './config/variables.js'
import type { Choice } from './cropper/choose.js'
import { configuredCropper } from './cropper/croppers.js'
import type { Engine } from './engine/engine.js'
import { type EngineOptions, engineOptions } from './engine/options.js'
import { startEngine } from './engine/parent/client.js'
import type { EngineInfo } from './engine/protocol.js'
import { CropVlmError } from './errors.js'
import { injectedFetch } from './http/injected-fetch.js'
import type { Target } from './target/target.js'
import { makeTargets } from './target/targets.js'

export interface ServiceOptions {
  /** What configures it, as docs/reference/configuration.md says. Default: `process.env`. */
  env?: Env
  /** `stdout`: JSON lines on stdout, from the level that LOG_LEVEL says. Default: nothing is logged. */
  log?: Logger | 'stdout'
  /**
   * Whether each model answers once before the service is ready, so that the first request is as quick as the others. Without,
   * the first reply comes sooner, reckoned from the start. Default: true.
   */
  warmUp?: boolean
}

/** A service whose models are loading, or have been loaded. It listens on no port before `listen` is called. */
export interface Service {
  readonly app: FastifyInstance
  readonly config: Config
  readonly log: Logger
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
  /**
   * Answers what is in flight, then ends the engine's processes. A second call waits for the first.
   * @param graceMs Milliseconds after which what is still in flight is cut off, with an error. Default: it is waited for.
   * @returns how many requests were cut off
   */
  close(graceMs?: number): Promise<number>
}

/**
 * Makes a service; its models begin to load.
 * @throws CropVlmError invalid_config, with every problem of the variables
 */
export async function createService({
  env = process.env,
  log: given,
  warmUp = true,
}: ServiceOptions = {}): Promise<Service> {
  const names = new Set(OPTIONS.map(option => option.env))
  const config = readConfig(noting(env, names))
  const { choice, needs, make } = configuredCropper(config)
  const planned = engineOptions(config, needs)
  const options = { ...planned, worker: { ...planned.worker, warmUp } }
  const folders = foldersOf(options)
  const missing = missingFolders(folders)
  if (missing.length > 0) throw new CropVlmError('invalid_config', missing.join('\n'))
  const level = given === 'stdout' ? config.logLevel : 'silent'
  const log = given === 'stdout' || given === undefined ? pino({ level }) : given
  for (const warning of misspeltVariables(env, names)) log.warn(warning)
  for (const folder of bundledFolders(folders)) log.info(`${folder} is one of the package's own models`)
  const engine = startEngine(options, log)
  const targets = makeTargets(config, engine)
  // loaded while the engine's process starts: these are most of the service's modules
  const { buildApp } = await import('./http/app.js')
  const app = await buildApp({ config, engine, cropper: make(engine), targets, log })
  let closing: Promise<number> | undefined
  return {
    app,
    config,
    log,
    engine,
    targets,
    choice,
    ready: engine.ready,
    listen: () => app.listen({ host: config.host, port: config.port }),
    fetch: injectedFetch(app),
    close(graceMs) {
      closing ??= stop(app, engine, graceMs)
      return closing
    },
  }
}

function foldersOf({ worker: { cropper, targets } }: EngineOptions): string[] {
  return [...(cropper ? [cropper] : []), ...targets].map(({ dir }) => dir)
}

/** How long the last replies may take to get out, in milliseconds. */
const LAST_REPLIES_MS = 1000

async function stop(app: FastifyInstance, engine: Engine, graceMs?: number): Promise<number> {
  let cutOff = 0
  const cut = async () => {
    cutOff = await app.cut()
  }
  const timer = graceMs === undefined ? undefined : setTimeout(cut, graceMs)
  // the app comes first: a request that it has accepted may still have a job for the engine
  await app.drain()
  clearTimeout(timer)
  // nobody waits any more for jobs of what was cut off
  await (cutOff === 0 ? engine.drain() : engine.close())
  // closing waits for all connections that are not idle. One on which no request has come yet, a spare one of a browser
  // or a load balancer, does not count as idle, and is closed here.
  setTimeout(() => app.server.closeAllConnections(), LAST_REPLIES_MS).unref()
  await app.close()
  return cutOff
}
