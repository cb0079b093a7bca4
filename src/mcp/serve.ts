/** Serves the tool over stdin and stdout until the host has had enough. */
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import type { Logger } from 'pino'
import type { Config } from '../config/service.js'
import { pictureEngineOptions } from '../engine/options.js'
import { CropFiles } from './crop/crop-files.js'
import { Pictures } from './crop/pictures.js'
import { Lazy } from './lazy.js'
import { makeServer } from './server.js'
import type { Root } from './source/roots.js'
import { wholeLines } from './whole-lines.js'
import type { Service } from './zoom.js'

export interface McpOptions {
  config: Config
  /** Where crops are written; null: into a temporary folder of its own. */
  out: string | null
  /** The folders of `--root`; empty: see `Roots`. */
  roots: readonly Root[]
  /** Whether links are fetched; null where only the running service knows. */
  links: boolean | null
  /** Milliseconds that one call may take. */
  timeoutMs: number
  /** Starts the service, or connects to the one that runs; aborted when the server ends. */
  connect(signal: AbortSignal): Promise<Service>
  /** Where relative paths begin. */
  cwd: string
  stdin: Readable
  /** Nothing but the protocol is written to it. */
  stdout: Writable
  /** Ends the server when it is aborted. */
  signal: AbortSignal
  log: Logger
}

/** Room in one message for a picture of the largest size as a data URL, with some to spare. */
const MESSAGE_FACTOR = 2

/** Serves until stdin is closed, stdout breaks, or the signal is aborted; then all that was started has ended. */
export async function serveMcp(options: McpOptions): Promise<void> {
  const { config, log, cwd, links, stdin, stdout, timeoutMs } = options
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const service = new Lazy(
    () => options.connect(signal),
    ({ close }) => close(),
  )
  const pictures = new Pictures(pictureEngineOptions(config), log)
  const files = new CropFiles(options.out)
  const limits = { maxPixels: config.maxPixels, maxAspect: config.maxAspect }
  const server = makeServer({
    service,
    pictures,
    files,
    sources: { cwd, maxBytes: config.maxBodyBytes, limits, links },
    roots: { given: options.roots },
    writes: options.out !== null,
    timeoutMs,
    log,
  })
  const maxBufferSize = MESSAGE_FACTOR * config.maxBodyBytes
  const lines = wholeLines(maxBufferSize, () => log.warn(`a message of over ${maxBufferSize} bytes was passed over`))
  const transport = new StdioServerTransport(stdin.pipe(lines), stdout, { maxBufferSize: 2 * maxBufferSize })
  const ended = Promise.race([
    once(stdin, 'end'),
    once(stdin, 'close'),
    once(stdout, 'error'),
    once(options.signal, 'abort'),
    new Promise(resolve => {
      server.onclose = () => resolve(null)
    }),
  ])
  await server.connect(transport)
  await ended
  stop.abort(new Error('the server has ended'))
  await server.close()
  // else it would keep the process alive
  stdin.unpipe(lines).pause()
  await Promise.all([service.close(), pictures.close(), files.close()])
}
