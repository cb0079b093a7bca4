import type { Logger } from 'pino'

export interface Running {
  /** Its `close` answers what is in flight. */
  service: { close(): Promise<void> }
  log: Logger
  /** Milliseconds that requests in flight may take to finish. */
  graceMs: number
}

/**
 * On SIGTERM or SIGINT: readiness fails and new work is refused, requests in flight are answered, then the process
 * ends with 0, or with 1 if the grace time was too short. A second signal ends it at once.
 */
export function stopOnSignals({ service, log, graceMs }: Running): void {
  let stopping = false
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) {
      log.warn(`${signal} again: stopping at once`)
      process.exit(1)
    }
    stopping = true
    log.info(`${signal}: finishing requests in flight, for ${graceMs} ms at most`)
    setTimeout(() => {
      log.error(`requests were still in flight after ${graceMs} ms; raise SHUTDOWN_GRACE_MS to let them finish`)
      process.exit(1)
    }, graceMs).unref()
    void service.close().then(
      () => {
        log.info('stopped')
        process.exit(0)
      },
      error => {
        log.fatal({ err: error }, 'stopping failed')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}
