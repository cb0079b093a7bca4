import type { Logger } from 'pino'
import { CropVlmError } from '../../errors.js'
import { NO_NUMBERS } from '../../vlm/decoding/sampling.js'
import type { EngineOptions } from '../options.js'
import type { AnyResult, EngineInfo, EngineReply, ScriptMemory } from '../protocol.js'
import { unavailable } from './backoff.js'
import type { PendingJob } from './pending-job.js'
import { type Phase, Supervisor } from './process/supervisor.js'

export interface WorkerProcessEvents {
  onReady: (info: EngineInfo) => void
  /**
   * A job was answered with a result.
   * @param ms Milliseconds since it was given to the process.
   * @param batchSize Jobs that were given together with it, itself included.
   */
  onDone: (pending: PendingJob, ms: number, batchSize: number) => void
  /** It has answered a job; if that was its last, it can be given the next. */
  onAnswered: () => void
  /** Its process has died. The jobs that it had have been rejected. */
  onDown: () => void
  /** The first load of all failed. */
  onFatal: (error: CropVlmError) => void
}

/**
 * Jobs in a row that come to nothing, after which a process is replaced: a graphics card may have failed it, or it gets no
 * more memory from the system. A new one may go.
 */
const MAX_FAULTS = 3

/**
 * One engine process and the jobs that it has been given. It is restarted when it dies; then these jobs are lost and no
 * others.
 */
export class WorkerProcess {
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: WorkerProcessEvents
  readonly #supervisor: Supervisor
  /**
   * Jobs given to the process and not answered yet, by their ids. Jobs for which nobody waits any more stay here until
   * the process has answered them.
   */
  readonly #running = new Map<number, PendingJob>()
  /** Jobs that failed because of what a model gave, or its folder brought along. */
  modelFailures = 0
  /** Jobs in a row for which a model gave no numbers, or that failed for no reason of theirs. */
  #faults = 0
  /** How many jobs the process was given last, at once. */
  #batchSize = 0
  /** Since when it has had nothing to do, on `performance.now()`'s clock. */
  idleSince = 0

  /** @param first Whether this is the engine's first process, whose failed load is not tried again. */
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
    return this.phase === 'ready' && !this.#supervisor.isKilled && this.#running.size === 0
  }

  get running(): readonly PendingJob[] {
    return [...this.#running.values()]
  }

  get pid(): number | null {
    return this.#supervisor.pid
  }

  /** What it is doing while it starts, in words for anybody; null where it is not starting or has said nothing. */
  get step(): string | null {
    return this.#supervisor.step.shown
  }

  get scriptMemory(): ScriptMemory | null {
    return this.#supervisor.scriptMemory
  }

  get memoryKills(): number {
    return this.#supervisor.memoryKills
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

  /** Gives an idle process jobs, to be done as one batch. */
  give(jobs: readonly PendingJob[]): void {
    this.#batchSize = jobs.length
    for (const pending of jobs) {
      pending.startedAt = performance.now()
      this.#running.set(pending.id, pending)
    }
    this.#supervisor.send({ type: 'jobs', jobs: jobs.map(({ id, job }) => ({ id, job })) })
  }

  /** Tells the process that nobody waits for a job any more. Does nothing if the process does not have the job. */
  abort({ id }: PendingJob): void {
    if (!this.#running.has(id)) return
    this.#supervisor.send({ type: 'abort', id })
    this.#killIfHung(id)
  }

  /** Ends the process for good. The jobs that it has are rejected with `error`. */
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
    if (reply.type === 'error') {
      const error = CropVlmError.fromWire(reply.error)
      this.#countFailure(error)
      pending.reject(error)
    } else {
      this.#faults = 0
      this.#events.onDone(pending, performance.now() - pending.startedAt, this.#batchSize)
      const timings = { ...reply.result.timings, queue: pending.startedAt - pending.queuedAt }
      pending.resolve({ ...reply.result, timings } as AnyResult)
    }
    if (this.#running.size === 0) this.idleSince = performance.now()
    this.#events.onAnswered()
  }

  /** Tells of a model that failed, and replaces a process that fails again and again. */
  #countFailure({ code, message, details }: CropVlmError): void {
    if (code === 'model_failed') {
      this.modelFailures += 1
      this.#log.error({ code }, message)
    }
    const isWithoutNumbers = code === 'model_failed' && details?.reason === NO_NUMBERS
    if (!isWithoutNumbers && code !== 'internal_error') return
    this.#faults += 1
    if (this.#faults !== MAX_FAULTS) return
    const what = isWithoutNumbers ? 'gave no numbers for' : 'failed'
    this.#supervisor.kill(`${what} ${MAX_FAULTS} jobs in a row and was killed`)
  }

  /**
   * Kills the process if a job that was given up is not over in time: a run of the native library cannot be
   * interrupted, so a run that hangs can be ended only together with its process. The timer holds the id and not the
   * job, which would keep the job's image in memory for that long.
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
    this.#faults = 0
    const lost = this.running
    this.#running.clear()
    const message = 'The engine failed while it had this request, and is being restarted; try again.'
    for (const pending of lost) pending.reject(unavailable(message, this.readyInMs ?? this.nextStartInMs))
    if (lost.length > 0) this.#log.warn({ jobs: lost.length }, `jobs lost because the engine process ${how}`)
    this.#events.onDown()
  }
}
