/** The service: environment -> configuration -> engine -> listen -> models loaded. Ends as `shutdown.ts` tells. */
import { pino } from 'pino'
import type { Env } from './config/variables.js'
import { CropVlmError } from './errors.js'
import { createService, type Service } from './service.js'
import { type Running, stopOnSignals } from './shutdown.js'
import { warmUp } from './target/warm-up.js'

/** What can be told of a service once it is ready. */
export interface Serving {
  service: Service
  /** Where it answers, such as http://127.0.0.1:8080; where it listens on every interface, the one of this machine. */
  url: string
}

/**
 * Runs the service until a signal ends the process. What keeps it from starting is logged, and ends the process with 1.
 * @param onReady Called once, when the models have been loaded.
 * @param stoppable What `stopOnSignals` has given, where it has been called already.
 * @throws CropVlmError invalid_config; nothing has been started then
 */
export async function serve(
  env: Env,
  onReady: (serving: Serving) => void = () => {},
  stoppable: (running: Running) => void = stopOnSignals(),
): Promise<void> {
  const service = await createService({ env, log: 'stdout' })
  const { log, config } = service
  stoppable({ service, log, graceMs: config.shutdownGraceMs })
  process.on('uncaughtException', error => {
    log.fatal({ err: error }, 'uncaught error')
    process.exit(1)
  })
  try {
    onReady(await start(service))
  } catch (error) {
    // the engine process ends by itself when this one has ended
    log.fatal(error instanceof CropVlmError ? { code: error.code } : { err: error }, startProblem(error, config))
    process.exit(1)
  }
}

/** The same as a program of its own: a wrong configuration is logged as well. */
export async function serveAlone(env: Env, stoppable: (running: Running) => void): Promise<void> {
  await serve(env, undefined, stoppable).catch(error => {
    if (!(error instanceof CropVlmError)) throw error
    // the configured logger does not exist yet
    pino().fatal({ code: error.code }, error.message)
    process.exit(1)
  })
}

async function start(service: Service): Promise<Serving> {
  const { choice, config, engine, targets, log } = service
  // listens before the models are loaded, so that probes are answered meanwhile
  const address = await service.listen()
  // in the background: an endpoint that is slow, or down, does not keep this service from being ready
  if (config.targetWarmup) void warmUp(targets.values(), log)
  const info = await service.ready.catch(error => {
    if (engine.state === 'stopped' && error instanceof CropVlmError && error.code === 'draining') return stopped()
    throw error
  })
  if (!isLoopback(config.host) && config.apiKeys.length === 0)
    log.warn(`anybody who can reach ${config.host} can use this service; set API_KEY to ask for a key`)
  const url = address.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]')
  const { executionProvider, executionProviderReason: reason } = info
  const models = info.models.map(({ id, role, precision, precisionReason }) => ({
    id,
    role,
    precision,
    reason: precisionReason,
  }))
  for (const { id, warning } of info.models) if (warning) log.warn({ model: id }, warning)
  const { cropper: name, dialect, why, isDoubtful } = choice
  log[isDoubtful ? 'warn' : 'info']({ cropper: name, dialect }, `boxes are found by ${name}: ${why}`)
  log.info({ url, executionProvider, reason, models }, `ready; try: ${curl(url, config)}`)
  return { service, url }
}

/** Waits for ever: a signal came while the models loaded, and `shutdown.ts` is ending the process. */
function stopped(): Promise<never> {
  return new Promise(() => {})
}

function startProblem(error: unknown, { port, host }: Service['config']): string {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
    return `port ${port} of ${host} is taken by another process; stop it, or set PORT to another one`
  return error instanceof CropVlmError ? error.message : 'the service cannot start'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function curl(url: string, { apiKeys }: Service['config']): string {
  const key = apiKeys.length === 0 ? '' : ' -H "Authorization: Bearer $API_KEY"'
  return `curl${key} -F image=@page.png -F 'question=What is the total?' ${url}/answer`
}
