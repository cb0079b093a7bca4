/**
 * The parent side of the engine, and the only door to it: a bounded queue in front of child processes that decode
 * strangers' images and run models, and that may be killed and restarted at any time without losing the server.
 */
import type { Logger } from 'pino'
import { draining } from '../../errors.js'
import { PROVIDERS } from '../../vlm/onnx/providers.js'
import type { CallOptions, EngineState, StartedEngine } from '../engine.js'
import { tracedJob } from '../job-span.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo, Job, JobResult, ScriptMemory } from '../protocol.js'
import { Admission } from './admission.js'
import { unavailable } from './backoff.js'
import { ImageRouter } from './image-router.js'
import { JobTimes } from './job-times.js'
import { PendingJob, withResolvers } from './pending-job.js'
import { Pool } from './pool.js'
import { ProcessMemory } from './process/memory.js'
import { JobQueue } from './queue.js'
import { chooseSandbox, type Sandbox } from './sandbox/choose.js'
import type { WorkerProcess } from './worker-process.js'

/**
 * Starts the engine's processes and begins to load their models.
 * @throws CropVlmError invalid_config where a sandbox is asked for and there can be none
 */
export function startEngine(options: EngineOptions, log: Logger): StartedEngine {
  return new EngineClient(options, log)
}

class EngineClient implements StartedEngine {
  readonly ready: Promise<EngineInfo>
  info: EngineInfo | null = null
  readonly sandbox: Sandbox
  readonly #options: EngineOptions
  readonly #pool: Pool
  readonly #admission: Admission
  readonly #firstLoad = withResolvers<EngineInfo>()
  /** Resolves once the engine is draining and nobody waits for a job any more. */
  readonly #drained = withResolvers<void>()
  readonly #times = new JobTimes()
  readonly #queue = new JobQueue()
  readonly #router = new ImageRouter<WorkerProcess>()
  readonly #memory: ProcessMemory
  /** Runs while jobs wait for others to make a batch with; dispatches them when they have waited long enough. */
  #delay: NodeJS.Timeout | undefined
  #draining = false
  #nextId = 1

  constructor(options: EngineOptions, log: Logger) {
    this.#options = options
    this.#memory = new ProcessMemory(log)
    this.ready = this.#firstLoad.promise
    // Nobody has to wait for it: without a handler its rejection would end the process. Who does wait still sees it.
    this.ready.catch(() => {})
    this.sandbox = chooseSandbox(options)
    log.info({ sandbox: this.sandbox.name }, `${this.sandbox.name ?? 'No sandbox'}: ${this.sandbox.reason}`)
    this.#pool = new Pool({ ...options, sandboxCommand: this.sandbox.command }, log, {
      onReady: info => {
        this.info = info
        this.#firstLoad.resolve(info)
        this.#dispatch()
      },
      onDone: ({ job }, ms, batchSize) => this.#times.add(job, ms, batchSize),
      onAnswered: () => this.#dispatch(),
      onDown: () => this.#onDown(),
      onFatal: error => this.#firstLoad.reject(error),
    })
    this.#admission = new Admission(this.#pool, this.#queue, this.#times, options.queueSize)
  }

  get state(): EngineState {
    const { phase } = this.#pool
    return this.#draining && phase !== 'stopped' ? 'draining' : phase
  }

  get queueSize(): number {
    return this.#queue.size
  }

  get restarts(): number {
    return this.#pool.restarts
  }

  get modelFailures(): number {
    return this.#pool.modelFailures
  }

  get memoryKills(): number {
    return this.#pool.memoryKills
  }

  get step(): string | null {
    return this.#pool.step
  }

  residentBytes(): ReadonlyMap<number, number> {
    return this.#memory.resident(this.#pool.pids)
  }

  scriptMemory(): ReadonlyMap<number, ScriptMemory> {
    return this.#pool.scriptMemory
  }

  async deviceBytes(): Promise<ReadonlyMap<number, number>> {
    const provider = this.info?.executionProvider
    return provider ? this.#memory.device(this.#pool.pids, provider) : new Map()
  }

  checkRoom(deadline: number): void {
    this.#throwIfRefused(null, deadline, false)
  }

  async run<J extends Job>(
    job: J,
    { signal, deadline, span, isSecondHalf = false }: CallOptions,
  ): Promise<JobResult<J>> {
    this.#throwIfRefused(job, deadline, isSecondHalf)
    const pending = new PendingJob(this.#nextId++, job, { signal, deadline, isSecondHalf }, abandoned =>
      this.#onGivenUp(abandoned),
    )
    // it is settled already if its signal was aborted or its deadline has passed
    if (!pending.isSettled) this.#queue.add(pending)
    this.#dispatch()
    return (await tracedJob(span, job, pending)) as JobResult<J>
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#dispatch()
    await this.#drained.promise
    await this.close()
  }

  async close(): Promise<void> {
    this.#draining = true
    clearTimeout(this.#delay)
    const error = draining()
    const stopped = this.#pool.stop(error)
    this.#firstLoad.reject(error)
    for (const pending of this.#queue.take(this.#queue.size)) pending.reject(error)
    this.#drained.resolve()
    await stopped
  }

  /** See `Admission.refusal`. */
  #throwIfRefused(job: Job | null, deadline: number, isSecondHalf: boolean): void {
    const refusal = this.#draining ? draining() : this.#admission.refusal(job, deadline, isSecondHalf)
    if (refusal) throw refusal
  }

  /**
   * To be called when jobs or idle processes may have come: gives the jobs out, or waits for others that fill the
   * batch.
   */
  #dispatch(): void {
    clearTimeout(this.#delay)
    if (this.#pool.idle.length > 0) {
      const waitMs = this.#batchWaitMs
      if (waitMs > 0) this.#delay = setTimeout(() => this.#dispatch(), waitMs)
      else this.#giveJobs()
    }
    this.#checkDrained()
  }

  /**
   * Milliseconds for which the jobs that are there should still wait for others to make a batch with; 0 or less: none.
   */
  get #batchWaitMs(): number {
    if (this.#draining || this.#queue.size === 0 || this.#queue.size >= this.#batchSize) return 0
    return this.#queue.oldest + this.#options.batchDelayMs - performance.now()
  }

  /** Gives waiting jobs to idle processes: to each an equal share, so that none of them stays idle. */
  #giveJobs(): void {
    for (const pending of this.#queue.waiting) pending.giveUpIfLate()
    let { idle } = this.#pool
    while (this.#queue.first && idle[0]) {
      const process = this.#router.choose(idle, this.#queue.first.job) ?? idle[0]
      const jobs = this.#queue.take(Math.min(this.#batchSize, Math.ceil(this.#queue.size / idle.length)))
      for (const { job } of jobs) this.#router.remember(job, process)
      process.give(jobs)
      idle = this.#pool.idle
    }
  }

  get #batchSize(): number {
    return this.#options.batchSize ?? PROVIDERS[this.info?.executionProvider ?? 'cpu'].batchSize
  }

  /** Nobody waits for the job any more: its deadline has passed, or its signal was aborted. */
  #onGivenUp(pending: PendingJob): void {
    this.#queue.remove(pending)
    this.#pool.abort(pending)
    this.#checkDrained()
  }

  /**
   * A process has died. The jobs in the queue go on waiting, unless no process is ready and it is not known when one
   * will be: then they are rejected.
   */
  #onDown(): void {
    const { readyInMs, nextStartInMs } = this.#pool
    const lost = readyInMs === null ? this.#queue.take(this.#queue.size) : []
    for (const pending of lost)
      pending.reject(unavailable('The engine failed while this request waited; try again later.', nextStartInMs))
    this.#checkDrained()
  }

  #checkDrained(): void {
    if (!this.#draining) return
    const isWanted = [...this.#pool.running, ...this.#queue.waiting].some(({ isSettled }) => !isSettled)
    if (!isWanted) this.#drained.resolve()
  }
}
