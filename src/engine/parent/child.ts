import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { EngineOptions } from '../options.js'
import type { EngineReply, EngineRequest } from '../protocol.js'

/** One life of the engine process: forked on construction, never restarted. */
export class EngineChild {
  readonly #process: ChildProcess
  readonly #log: Logger
  readonly #stopMs: number
  readonly #ended: Promise<void>
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
      // of glibc's allocator: each of its arenas keeps what an image or a tile took, tens of megabytes, and the threads
      // of a run hardly allocate
      env: { MALLOC_ARENA_MAX: '1', ...process.env },
    })
    this.#log = log.child({ engine: this.#process.pid })
    this.#stopMs = stopMs
    this.#forward(this.#process.stdout, 'info')
    this.#forward(this.#process.stderr, 'warn')
    this.#process.on('message', reply => onReply(reply as EngineReply))
    this.#process.on('error', error => this.#log.error({ err: error }, 'the engine process cannot be talked to'))
    this.#ended = new Promise(resolve => {
      // unlike 'exit', 'close' comes when the replies still on the way have been read
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

  /** Does nothing when the process is gone: its end has been, or will be, told. */
  send(request: EngineRequest): void {
    if (this.#process.connected) this.#process.send(request, () => {})
  }

  /** Ends it at once, whatever it is doing. @param why As `onEnd` should tell it. */
  kill(why: string): void {
    this.#killedFor ??= why
    this.#process.kill('SIGKILL')
  }

  /** Asks it to leave, kills it if it does not, and waits until it is gone. */
  async stop(): Promise<void> {
    this.send({ type: 'stop' })
    const timer = setTimeout(() => this.kill(`did not stop within ${this.#stopMs} ms and was killed`), this.#stopMs)
    await this.#ended
    clearTimeout(timer)
  }

  /** The process has no logger of its own: a line is JSON with `level` and `msg` (see `child-log.ts`), or plain text. */
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
