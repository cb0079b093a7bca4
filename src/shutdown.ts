import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Engine } from './engine/engine.js'

export interface Running {
  app: FastifyInstance
  engine: Engine
  log: Logger
  /** Milliseconds that requests in flight may take to finish. */
  graceMs: number
}

/**
 * On SIGTERM or SIGINT: readiness fails and new work is refused, requests in flight are answered, then the process
 * ends with 0, or with 1 if the grace time was too short. A second signal ends it at once.
 */
export function stopOnSignals({ app, engine, log, graceMs }: Running): void {
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
    void stop(app, engine).then(
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
