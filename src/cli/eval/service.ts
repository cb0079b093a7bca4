/** Starts the service as a child process, for an evaluation that was given no `--url`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CliError, EXIT } from '../command.js'

export interface RunningService {
  url: string
  stop(): Promise<void>
}

// relative to this file: dist/main.js when this is compiled, src/main.ts when a test runs this from source
const MAIN = fileURLToPath(new URL(`../../main${extname(import.meta.url)}`, import.meta.url))
const MAX_START_MS = 180_000
const MAX_STOP_MS = 40_000

/**
 * Starts the service on a free port of this machine and waits until a model has answered.
 * Its log goes to stderr, warnings and worse unless LOG_LEVEL says otherwise.
 * @param log Descriptor of a file that its log goes to instead.
 * @throws CliError failed: it ended, or was not ready in time
 */
export async function startService(
  env: Readonly<Record<string, string | undefined>>,
  main = MAIN,
  log = 2,
): Promise<RunningService> {
  const port = await freePort()
  const child = spawn(process.execPath, [...process.execArgv, main], {
    env: { LOG_LEVEL: 'warn', ...env, HOST: '127.0.0.1', PORT: String(port) },
    stdio: ['ignore', log, log],
  })
  const stop = () => end(child)
  const url = `http://127.0.0.1:${port}`
  try {
    await untilReady(child, url)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

async function untilReady(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + MAX_START_MS
  while (Date.now() < deadline) {
    if (hasEnded(child))
      throw new CliError(
        EXIT.failed,
        `The service ended while starting (${child.signalCode ?? child.exitCode}); its log is above.`,
      )
    const ready = await fetch(`${url}/health/ready`).then(
      response => response.ok,
      () => false,
    )
    if (ready) return
    await sleep(200)
  }
  throw new CliError(EXIT.failed, `The service was not ready within ${MAX_START_MS / 1000} s; its log is above.`)
}

async function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return
  const exit = once(child, 'exit')
  child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), MAX_STOP_MS)
  await exit
  clearTimeout(killer)
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
