import type { Logger } from 'pino'
import { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { AnyResult, EngineInfo, EngineReply } from '../protocol.js'
import { unavailable } from './admission.js'
import type { PendingJob } from './pending-job.js'
import { type Phase, Supervisor } from './supervisor.js'

export interface WorkerProcessEvents {
  onReady: (info: EngineInfo) => void
  /** A job was answered with a result. @param batchSize Jobs that were given together with it, itself included. */
  onDone: (pending: PendingJob, ms: number, batchSize: number) => void
  /** It may be given the next jobs. */
  onIdle: () => void
  /** Its process is gone, with the jobs it had, which have been rejected. */
  onDown: () => void
  /** The first load of all failed. */
  onFatal: (error: CropVlmError) => void
}

/** One engine process, restarted when it dies, and the jobs that it has been given; its death costs those and no others. */
export class WorkerProcess {
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: WorkerProcessEvents
  readonly #supervisor: Supervisor
  /** Not answered yet, also where nobody waits any more. */
  readonly #running = new Map<number, PendingJob>()
  #batchSize = 0
  /** When it had nothing to do last, on `performance.now()`'s clock. */
  idleSince = 0

  /** @param first Whether a failed first load is for good; the other processes of an engine try again. */
  constructor(options: EngineOptions, log: Logger, events: WorkerProcessEvents, first: boolean) {
    this.#options = options
    this.#log = log
    this.#events = events
    this.#supervisor = new Supervisor(
      options,
      log,
      {
        onReady: info => {
          this.idleSince = performance.now()
          events.onReady(info)
        },
        onReply: reply => this.#onReply(reply),
        onDown: how => this.#onDown(how),
        onFatal: error => events.onFatal(error),
      },
      first ? 'loading' : 'restarting',
    )
  }

  get phase(): Phase {
    return this.#supervisor.phase
  }

  get isIdle(): boolean {
    return this.phase === 'ready' && this.#running.size === 0
  }

  get running(): readonly PendingJob[] {
    return [...this.#running.values()]
  }

  get pid(): number | null {
    return this.#supervisor.pid
  }

  get restarts(): number {
    return this.#supervisor.restarts
  }

  get readyInMs(): number | null {
    return this.#supervisor.readyInMs
  }

  get nextStartInMs(): number {
    return this.#supervisor.nextStartInMs
  }

  /** Gives an idle process jobs to do together. */
  give(jobs: readonly PendingJob[]): void {
    this.#batchSize = jobs.length
    for (const pending of jobs) {
      pending.startedAt = performance.now()
      this.#running.set(pending.id, pending)
    }
    this.#supervisor.send({ type: 'jobs', jobs: jobs.map(({ id, job }) => ({ id, job })) })
  }

  /** Nobody waits for the job any more. Does nothing where the process does not have it. */
  abort({ id }: PendingJob): void {
    if (!this.#running.has(id)) return
    this.#supervisor.send({ type: 'abort', id })
    this.#killIfHung(id)
  }

  /** Ends the process for good; jobs it has are rejected with `error`. */
  async stop(error: CropVlmError): Promise<void> {
    const stopped = this.#supervisor.stop()
    for (const pending of this.#running.values()) pending.reject(error)
    this.#running.clear()
    await stopped
  }

  #onReply(reply: Extract<EngineReply, { type: 'result' | 'error' }>): void {
    const pending = this.#running.get(reply.id)
    if (!pending || pending.startedAt === null) return
    this.#running.delete(reply.id)
    if (reply.type === 'error') pending.reject(CropVlmError.fromWire(reply.error))
    else {
      this.#events.onDone(pending, performance.now() - pending.startedAt, this.#batchSize)
      const timings = { ...reply.result.timings, queue: pending.startedAt - pending.queuedAt }
      pending.resolve({ ...reply.result, timings } as AnyResult)
    }
    if (this.#running.size > 0) return
    this.idleSince = performance.now()
    this.#events.onIdle()
  }

  /**
   * A run of the native library cannot be interrupted: the only way out of one that does not end is the whole process.
   * Takes the id alone: a timer that held the job would keep its image for as long, even where the engine let go at once.
   */
  #killIfHung(id: number): void {
    const { hangMs } = this.#options
    const kill = () => {
      if (this.#running.has(id))
        this.#supervisor.kill(`did not react for ${hangMs} ms after job ${id} was given up, and was killed`)
    }
    setTimeout(kill, hangMs).unref()
  }

  #onDown(how: string): void {
    const lost = this.running
    this.#running.clear()
    const message = 'The engine failed while it had this request, and is being restarted; try again.'
    for (const pending of lost) pending.reject(unavailable(message, this.readyInMs ?? this.nextStartInMs))
    if (lost.length > 0) this.#log.warn({ jobs: lost.length }, `jobs lost because the engine process ${how}`)
    this.#events.onDown()
  }
}
