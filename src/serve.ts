/** The service: environment -> configuration -> engine -> listen -> models loaded. Ends as `shutdown.ts` tells. */
import { pino } from 'pino'
import { type Config, readConfig } from './config/service.js'
import { type ConfiguredCropper, configuredCropper } from './cropper/croppers.js'
import { CropVlmError } from './errors.js'
import { assemble } from './service.js'
import { stopOnSignals } from './shutdown.js'
import { warmUp } from './target/warm-up.js'

const { config, cropperKind } = configOrExit()
const log = pino({ level: config.logLevel })
process.on('uncaughtException', error => {
  log.fatal({ err: error }, 'uncaught error')
  process.exit(1)
})

try {
  await serve()
} catch (error) {
  // the engine process ends by itself when this one has ended
  log.fatal(error instanceof CropVlmError ? { code: error.code } : { err: error }, startProblem(error))
  process.exit(1)
}

async function serve(): Promise<void> {
  const service = await assemble(config, cropperKind, log)
  const { choice, engine, targets } = service
  stopOnSignals({ service, log, graceMs: config.shutdownGraceMs })
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
  log.info({ url, executionProvider, reason, models }, `ready; try: ${curl(url)}`)
}

/** Waits for ever: a signal came while the models loaded, and `shutdown.ts` is ending the process. */
function stopped(): Promise<never> {
  return new Promise(() => {})
}

function configOrExit(): { config: Config; cropperKind: ConfiguredCropper } {
  try {
    const config = readConfig()
    return { config, cropperKind: configuredCropper(config) }
  } catch (error) {
    if (!(error instanceof CropVlmError)) throw error
    // the configured logger does not exist yet
    pino().fatal({ code: error.code }, error.message)
    process.exit(1)
  }
}

function startProblem(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
    return `port ${config.port} of ${config.host} is taken by another process; stop it, or set PORT to another one`
  return error instanceof CropVlmError ? error.message : 'the service cannot start'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function curl(url: string): string {
  const key = config.apiKeys.length === 0 ? '' : ' -H "Authorization: Bearer $API_KEY"'
  return `curl${key} -F image=@page.png -F 'question=What is the total?' ${url}/answer`
}
