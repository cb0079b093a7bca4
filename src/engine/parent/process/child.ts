import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { EngineOptions } from '../../options.js'
import type { EngineReply, EngineRequest } from '../../protocol.js'
import { innerPid } from '../sandbox/inner-pid.js'
import { engineEnvironment } from './environment.js'

/** One engine process, from its start to its end. It is started by the constructor and never restarted. */
export class EngineChild {
  /** The library that it loads before all others, such as its allocator; null for none. */
  readonly preload: string | null
  readonly #process: ChildProcess
  readonly #log: Logger
  readonly #stopMs: number
  readonly #ended: Promise<void>
  readonly #isSandboxed: boolean
  /** Process id of Node in its sandbox, once it is known. */
  #innerPid: number | null = null
  /** What `onEnd` will be told if this side has killed the process; null if it has not. */
  #killedFor: string | null = null

  /** @param onEnd Called once, after the last reply, with how it ended, as in "was killed by SIGKILL". */
  constructor(
    { module, execArgv, worker, stopMs, sandboxCommand = [] }: EngineOptions,
    log: Logger,
    onReply: (reply: EngineReply) => void,
    onEnd: (how: string) => void,
  ) {
    const [program = process.execPath, ...args] = [
      ...sandboxCommand,
      process.execPath,
      ...execArgv,
      fileURLToPath(module),
    ]
    this.#isSandboxed = sandboxCommand.length > 0
    const env = engineEnvironment(process.env)
    this.preload = env.LD_PRELOAD || null
    this.#process = spawn(program, args, {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
      // Ctrl-C in a terminal is not for what holds the sandbox
      detached: this.#isSandboxed,
    })
    this.#log = log
    this.#stopMs = stopMs
    this.#forward(this.#process.stdout, 'info')
    this.#forward(this.#process.stderr, 'warn')
    this.#process.on('message', reply => onReply(reply as EngineReply))
    this.#process.on('error', error =>
      this.#log.error({ engine: this.pid, err: error }, 'the engine process cannot be talked to'),
    )
    this.#ended = new Promise(resolve => {
      // 'exit' may come while replies are still to be read; 'close' comes after them
      this.#process.on('close', (code, signal) => {
        onEnd(this.#killedFor ?? howItEnded(code, signal, this.#isSandboxed))
        resolve()
      })
    })
    this.send({ type: 'start', options: worker })
  }

  /** Process id, as this process sees it; while a sandbox is made, that of the program which makes it. */
  get pid(): number | undefined {
    const { pid } = this.#process
    if (!this.#isSandboxed || pid === undefined) return pid
    this.#innerPid ??= innerPid(pid)
    return this.#innerPid ?? pid
  }

  /** Sends a message. Does nothing if the process has ended; `onEnd` tells that. */
  send(request: EngineRequest): void {
    // The callback takes the error of sending to a process that is just ending; without one it is emitted as 'error'.
    if (this.#process.connected) this.#process.send(request, () => {})
  }

  /**
   * Ends the process at once, whatever it is doing.
   * @param why What `onEnd` is told, as in "was stopped".
   */
  kill(why: string): void {
    this.#killedFor ??= why
    this.#process.kill('SIGKILL')
  }

  /** Asks the process to leave, kills it if it does not, and waits until it has ended. */
  async stop(): Promise<void> {
    this.send({ type: 'stop' })
    const timer = setTimeout(() => this.kill(`did not stop within ${this.#stopMs} ms and was killed`), this.#stopMs)
    await this.#ended
    clearTimeout(timer)
  }

  /**
   * Writes each line that the process prints to the log. A line is JSON with `level` and `msg` (`engine/child/log.ts`),
   * or plain text, which is logged at `level`.
   */
  #forward(stream: Readable | null, level: 'info' | 'warn'): void {
    if (!stream) return
    createInterface({ input: stream }).on('line', line => {
      const entry = parseLine(line)
      this.#log[entry?.level ?? level]({ engine: this.pid, ...entry?.fields }, entry?.msg ?? line)
    })
  }
}

/** A process in a sandbox that is killed by a signal shows as an exit code of 128 and the signal's number. */
function howItEnded(code: number | null, signal: NodeJS.Signals | null, isSandboxed: boolean): string {
  const number = isSandboxed && code !== null ? code - 128 : 0
  const [name = signal] = Object.entries(constants.signals).find(([, value]) => value === number) ?? []
  return name ? `was killed by ${name}` : `ended with exit code ${code}`
}

interface Entry {
  level: 'debug' | 'info' | 'warn' | 'error'
  msg: string
  fields: Record<string, unknown>
}

function parseLine(line: string): Entry | null {
  if (!line.startsWith('{')) return null
  try {
    const { level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>
    const known = (['debug', 'info', 'warn', 'error'] as const).find(name => name === level)
    return known && typeof msg === 'string' ? { level: known, msg, fields } : null
  } catch {
    return null
  }
}
