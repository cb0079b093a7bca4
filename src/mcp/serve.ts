/** Serves the tool over stdin and stdout until the host has had enough. */
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import type { Logger } from 'pino'
import type { Config } from '../config/service.js'
import { pictureEngineOptions } from '../engine/options.js'
import { CropFiles } from './crop-files.js'
import { Lazy } from './lazy.js'
import { Pictures } from './pictures.js'
import { makeServer } from './server.js'
import type { Root } from './source/roots.js'
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

/** Room in one message for a picture of the largest size as a data URL, and for as much again. */
const MESSAGE_FACTOR = 3

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
  const transport = new StdioServerTransport(stdin, stdout, { maxBufferSize: MESSAGE_FACTOR * config.maxBodyBytes })
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
  await Promise.all([service.close(), pictures.close(), files.close()])
}
