import type { Logger } from 'pino'

export interface Running {
  /** Its `close` answers what is in flight, and cuts off what is not done in time. */
  service: { close(graceMs: number): Promise<number> }
  log: Logger
  /** Milliseconds that requests in flight may take to finish. */
  graceMs: number
}

/** How long the process may take for its end beyond the grace time: the last replies, and the end of the engine's processes. */
const END_MS = 8_000

/**
 * On SIGTERM or SIGINT: readiness fails and new work is refused, requests in flight are answered, then the process
 * ends with 0, or with 1 if the grace time was too short. A second signal ends it at once, with 1. Until there is a service
 * the first one ends it, with 0.
 * @returns what is to be called with the service as soon as there is one
 */
export function stopOnSignals(): (running: Running) => void {
  let running: Running | undefined
  let isStopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (!running) process.exit(0)
    if (isStopping) {
      running.log.warn(`${signal} again: stopping at once`)
      process.exit(1)
    }
    isStopping = true
    void stop(signal, running)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return service => {
    running = service
  }
}

async function stop(signal: NodeJS.Signals, { service, log, graceMs }: Running): Promise<never> {
  log.info(`${signal}: finishing requests in flight, for ${graceMs} ms at most`)
  setTimeout(() => {
    log.error(`not stopped ${END_MS} ms after the grace time: ending at once`)
    process.exit(1)
  }, graceMs + END_MS).unref()
  try {
    const cutOff = await service.close(graceMs)
    if (cutOff === 0) log.info('stopped')
    else
      log.error(
        `requests were still in flight after ${graceMs} ms, and were cut off: ${cutOff}; raise SHUTDOWN_GRACE_MS to let them finish`,
      )
    process.exit(cutOff === 0 ? 0 : 1)
  } catch (error) {
    log.fatal({ err: error }, 'stopping failed')
    process.exit(1)
  }
}
