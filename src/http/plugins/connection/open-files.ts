/** How many connections the limit of open files leaves room for, and what is done about more. */
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'

/** Open files that are none of callers: the engine's pipes, connections to targets, the log. */
const RESERVED = 128
/** Least time between two lines of the log about the same, in milliseconds. */
const QUIET_MS = 60_000

/**
 * Refuses connections before the limit of open files is reached. Beyond it libuv closes what it accepts without telling
 * anybody, and targets cannot be asked either.
 * @param limit Files that this process may have open; null: not known.
 */
export function limitConnections(server: Server, log: FastifyBaseLogger, limit = openFilesLimit()): void {
  let quietUntil = 0
  const tell = (line: object, text: string) => {
    if (Date.now() < quietUntil) return
    quietUntil = Date.now() + QUIET_MS
    log.warn(line, text)
  }
  if (limit !== null) {
    server.maxConnections = limit - Math.min(RESERVED, limit >> 1)
    server.on('drop', () =>
      tell(
        { connections: server.maxConnections, openFiles: limit },
        `${server.maxConnections} connections are open, all that a limit of ${limit} open files leaves room for; more are refused. Raise it (ulimit -n)`,
      ),
    )
  }
  server.on('error', (error: NodeJS.ErrnoException) => {
    // what happens before that is for the caller of `listen`
    if (server.listening) tell({ code: error.code }, `a connection cannot be accepted: ${error.message}`)
  })
}

/** Files that this process may have open; null where the system does not tell. */
export function openFilesLimit(): number | null {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1')
    const soft = Number(/^Max open files +(\d+)/m.exec(limits)?.[1])
    return Number.isSafeInteger(soft) ? soft : null
  } catch {
    // not Linux
    return null
  }
}
