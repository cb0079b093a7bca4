/**
 * The program. It loads the service only where enough files may be open: Node opens its many modules at once, and ends with
 * a raw stack where it cannot.
 */
import { hostname } from 'node:os'
import { openFilesLimit } from './http/plugins/connection/open-files.js'
import { stopOnSignals } from './shutdown.js'

// before the service's modules are loaded, which takes a moment: the first process of a container hears no signal that it
// does not listen for
const stoppable = stopOnSignals()

/** Fewest files that have to be allowed open: those of the modules, with room to spare. */
const LEAST_OPEN_FILES = 256

const limit = openFilesLimit()
if (limit !== null && limit < LEAST_OPEN_FILES) {
  const msg = `only ${limit} files may be open at once, and the service needs ${LEAST_OPEN_FILES}; raise the limit (ulimit -n)`
  // as the log's other lines, whose logger is one of the modules
  const line = { level: 60, time: Date.now(), pid: process.pid, hostname: hostname(), code: 'invalid_config', msg }
  process.stdout.write(`${JSON.stringify(line)}\n`)
  process.exitCode = 1
} else {
  const { serveAlone } = await import('./serve.js')
  await serveAlone(process.env, stoppable)
}
