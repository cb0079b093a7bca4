/** Engine processes that follow the protocol and are none: what they do, and when, is told them from outside. */
import childProcess from 'node:child_process'
import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import type { EngineReply, EngineRequest, Job } from '../../../src/engine/protocol.js'

/** Larger than any process id of Linux, so that no process of this machine is looked at. */
const FIRST_PID = 2 ** 23

interface Events {
  /** A process is given jobs. */
  onJobs: (process: FakeProcess, jobs: readonly { id: number; job: Job }[]) => void
  onKilled: (process: FakeProcess) => void
  /** The end of a process is about to be noticed. */
  onGone: (process: FakeProcess) => void
}

/** One process, as `spawn` gives it. */
export class FakeProcess extends EventEmitter {
  readonly stdout = null
  readonly stderr = null
  connected = true
  /** `loading` until it says that it is ready; `dying` from its end until that is noticed. */
  state: 'loading' | 'ready' | 'dying' | 'gone' = 'loading'
  /** Whether it said that it was ready, and not only after it was killed: the engine knows that it kills, and hears that no more. */
  wasReady = false
  /** Whether it ended because it was killed. */
  isKilled = false
  /** Whether it has done nothing for which it may be killed, but to be at work. */
  isBlameless = true
  /** Whether it reads nothing that it is sent. */
  hangs = false
  /** Jobs that it has been given and has not answered. */
  readonly jobs: { id: number; job: Job }[] = []
  readonly #unread: EngineRequest[] = []

  constructor(
    readonly pid: number,
    private readonly endMs: number,
    private readonly events: Events,
  ) {
    super()
  }

  send(request: EngineRequest): void {
    if (request.type === 'jobs') {
      this.events.onJobs(this, request.jobs)
      this.jobs.push(...request.jobs)
    } else if (this.hangs) this.#unread.push(request)
    else if (request.type === 'ping')
      queueMicrotask(() => this.reply({ type: 'pong', memory: { heap: 0, external: 0 } }))
    else if (request.type === 'stop') this.end(0, null)
  }

  wake(): void {
    this.hangs = false
    for (const request of this.#unread.splice(0)) this.send(request)
  }

  kill(signal: NodeJS.Signals): void {
    this.isKilled ||= this.connected
    if (this.connected) this.events.onKilled(this)
    this.end(null, signal)
  }

  /** What was said before the end is still heard after it. */
  reply(reply: EngineReply): void {
    if (this.state !== 'gone') this.emit('message', reply)
  }

  ready(): void {
    this.wasReady ||= !this.isKilled
    if (this.state === 'loading') this.state = 'ready'
    const info = { models: [], executionProvider: 'cpu', executionProviderReason: 'fake', pid: this.pid } as const
    this.reply({ type: 'ready', info: { ...info, models: [] }, longestRunMs: 0 })
  }

  /** The process ends now, and that is noticed a little later. */
  end(code: number | null, signal: NodeJS.Signals | null): void {
    if (!this.connected) return
    this.connected = false
    this.state = 'dying'
    setTimeout(() => {
      this.state = 'gone'
      this.events.onGone(this)
      this.emit('close', code, signal)
    }, this.endMs)
  }
}

/** Takes the place of `spawn`, until it is put back. */
export class FakeProcesses {
  readonly all: FakeProcess[] = []
  /** Whether the system has no process to give. */
  isExhausted = false
  readonly #spawn = childProcess.spawn

  /** @param endMs Milliseconds from a process's end until it is noticed. */
  constructor(endMs: number, events: Events) {
    const spawn = () => {
      if (this.isExhausted) throw new Error('spawn EAGAIN')
      const process = new FakeProcess(FIRST_PID + this.all.length, endMs, events)
      this.all.push(process)
      return process
    }
    this.#replace(spawn as unknown as typeof childProcess.spawn)
  }

  get alive(): FakeProcess[] {
    return this.all.filter(({ state }) => state === 'loading' || state === 'ready')
  }

  restore(): void {
    this.#replace(this.#spawn)
  }

  #replace(spawn: typeof childProcess.spawn): void {
    childProcess.spawn = spawn
    syncBuiltinESMExports()
  }
}
