import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { EngineOptions } from '../../options.js'
import type { EngineReply, EngineRequest } from '../../protocol.js'
import { ALLOCATOR } from './allocator.js'

/** One engine process, from its start to its end. It is forked by the constructor and never restarted. */
export class EngineChild {
  readonly #process: ChildProcess
  readonly #log: Logger
  readonly #stopMs: number
  readonly #ended: Promise<void>
  /** What `onEnd` will be told if this side has killed the process; null if it has not. */
  #killedFor: string | null = null

  /** @param onEnd Called once, after the last reply, with how it ended, as in "was killed by SIGKILL". */
  constructor(
    { module, execArgv, worker, stopMs }: EngineOptions,
    log: Logger,
    onReply: (reply: EngineReply) => void,
    onEnd: (how: string) => void,
  ) {
    this.#process = fork(module, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [...execArgv],
      env: { ...ALLOCATOR, ...process.env },
    })
    this.#log = log.child({ engine: this.#process.pid })
    this.#stopMs = stopMs
    this.#forward(this.#process.stdout, 'info')
    this.#forward(this.#process.stderr, 'warn')
    this.#process.on('message', reply => onReply(reply as EngineReply))
    this.#process.on('error', error => this.#log.error({ err: error }, 'the engine process cannot be talked to'))
    this.#ended = new Promise(resolve => {
      // 'exit' may come while replies are still to be read; 'close' comes after them
      this.#process.on('close', (code, signal) => {
        onEnd(this.#killedFor ?? (signal ? `was killed by ${signal}` : `ended with exit code ${code}`))
        resolve()
      })
    })
    this.send({ type: 'start', options: worker })
  }

  get pid(): number | undefined {
    return this.#process.pid
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
      this.#log[entry?.level ?? level](entry?.fields ?? {}, entry?.msg ?? line)
    })
  }
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
