/**
 * The parent side of the engine, and the only door to it: a bounded queue in front of child processes that decode
 * strangers' images and run models, and that may be killed and restarted at any time without losing the server.
 */
import type { Logger } from 'pino'
import { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo, Job, JobResult } from '../protocol.js'
import { retryAfterSeconds } from './backoff.js'
import { Affinity } from './image-router.js'
import { JobTimes } from './job-times.js'
import { Ticket, withResolvers } from './pending-job.js'
import { Pool } from './pool.js'
import { MemoryMeter } from './process-memory.js'
import { JobQueue } from './queue.js'
import { type Slot, unavailable } from './worker-process.js'

export interface Engine {
  /**
   * Runs one job. Jobs wait in arrival order, `generate` before `crop`; while no process is up they wait for one, as
   * long as it is expected back before their deadline.
   * @param options `deadline`: Unix milliseconds after which nobody waits.
   * @throws CropVlmError not_ready, queue_full, engine_unavailable, draining, deadline_exceeded, request_aborted, and
   * what the job itself throws (the image's codes, unsupported_resolution).
   */
  run<J extends Job>(job: J, options: { signal: AbortSignal; deadline: number }): Promise<JobResult<J>>
  /**
   * Tells what would be refused now whatever its image is: worth asking before that is received.
   * @throws CropVlmError of `run`'s not_ready, queue_full, engine_unavailable and draining
   */
  checkRoom(deadline: number): void
  readonly state: EngineState
  /** What a process said when it was ready, a restart ago at worst; null until then. */
  readonly info: EngineInfo | null
  /** Jobs waiting. */
  readonly queueSize: number
  /** Restarts of all processes since the start. */
  readonly restarts: number
  /** Resident bytes of each process that is up, by its number from 0; empty where the system does not tell. */
  residentBytes(): ReadonlyMap<number, number>
  /** The same of the GPU's memory; empty on a CPU and where nvidia-smi does not tell. */
  gpuBytes(): Promise<ReadonlyMap<number, number>>
  /** Refuses new jobs, finishes those accepted, then stops the processes. */
  drain(): Promise<void>
  /** Stops the processes now; jobs still there are rejected. */
  close(): Promise<void>
}

export type EngineState = 'loading' | 'ready' | 'restarting' | 'draining' | 'stopped'

/** An engine whose first load can be waited for. */
export interface StartedEngine extends Engine {
  /** Resolves once a model has really answered; rejects, for good, if the first load fails. Later crashes do not touch it. */
  readonly ready: Promise<EngineInfo>
}

/** Starts the engine's processes and begins to load their models. */
export function startEngine(options: EngineOptions, log: Logger): StartedEngine {
  return new EngineClient(options, log)
}

/** Jobs given at once where nothing else is configured: a batch is faster on a GPU, and no faster on a CPU. */
const BATCH = { cpu: 1, cuda: 8 }

class EngineClient implements StartedEngine {
  readonly ready: Promise<EngineInfo>
  info: EngineInfo | null = null
  readonly #options: EngineOptions
  readonly #pool: Pool
  readonly #firstLoad = withResolvers<EngineInfo>()
  readonly #idle = withResolvers<void>()
  readonly #times = new JobTimes()
  readonly #queue = new JobQueue()
  readonly #affinity = new Affinity<Slot>()
  readonly #memory: MemoryMeter
  /** While jobs wait for others to make a batch with. */
  #delay: NodeJS.Timeout | undefined
  #draining = false
  #nextId = 1

  constructor(options: EngineOptions, log: Logger) {
    this.#options = options
    this.#memory = new MemoryMeter(log)
    this.ready = this.#firstLoad.promise
    // who waits for it sees the rejection, but nobody has to
    this.ready.catch(() => {})
    this.#pool = new Pool(options, log, {
      onReady: info => {
        this.info = info
        this.#firstLoad.resolve(info)
        this.#dispatch()
      },
      onDone: ({ job }, ms, together) => this.#times.add(job, ms, together),
      onIdle: () => this.#dispatch(),
      onDown: () => this.#onDown(),
      onFatal: error => this.#firstLoad.reject(error),
    })
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

  residentBytes(): ReadonlyMap<number, number> {
    return this.#memory.resident(this.#pool.slots.map(({ pid }) => pid))
  }

  async gpuBytes(): Promise<ReadonlyMap<number, number>> {
    if (this.info?.executionProvider !== 'cuda') return new Map()
    return this.#memory.gpu(this.#pool.slots.map(({ pid }) => pid))
  }

  checkRoom(deadline: number): void {
    const refusal = this.#refusal(null, deadline)
    if (refusal) throw refusal
  }

  async run<J extends Job>(
    job: J,
    { signal, deadline }: { signal: AbortSignal; deadline: number },
  ): Promise<JobResult<J>> {
    const refusal = this.#refusal(job, deadline)
    if (refusal) throw refusal
    const ticket = new Ticket(this.#nextId++, job, deadline, signal, given => this.#onGivenUp(given))
    if (!ticket.settled) this.#queue.add(ticket)
    this.#dispatch()
    return (await ticket.promise) as JobResult<J>
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#dispatch()
    await this.#idle.promise
    await this.close()
  }

  async close(): Promise<void> {
    this.#draining = true
    clearTimeout(this.#delay)
    const error = draining()
    const stopped = this.#pool.stop(error)
    this.#firstLoad.reject(error)
    for (const ticket of this.#queue.take(this.#queue.size)) ticket.reject(error)
    this.#idle.resolve()
    await stopped
  }

  /** Why a new job, null one that takes no time, is not accepted now; null if it is. */
  #refusal(job: Job | null, deadline: number): CropVlmError | null {
    const { phase, readyInMs, nextStartInMs } = this.#pool
    if (this.#draining || phase === 'stopped') return draining()
    if (phase === 'loading')
      return new CropVlmError('not_ready', 'The models are still being loaded; try again shortly.', {
        retryAfter: retryAfterSeconds(readyInMs ?? 0),
      })
    if (phase === 'restarting' && (readyInMs === null || Date.now() + readyInMs >= deadline))
      return unavailable('The engine is down and being restarted; try again later.', readyInMs ?? nextStartInMs)
    // an answer is not refused for what waits: it goes before that, and its box has been found already
    return job?.kind === 'generate' || this.#pool.idle.length > 0 ? null : this.#overload(job, deadline, readyInMs ?? 0)
  }

  /** Why a job that has to wait would wait in vain; null if it would not. */
  #overload(job: Job | null, deadline: number, readyInMs: number): CropVlmError | null {
    const { ready, slots } = this.#pool
    const running = slots.flatMap(slot => slot.running)
    const waiting = this.#queue.tickets
    if (waiting.length >= this.#options.queueSize) {
      const backlog = this.#times.backlog(waiting.length + running.length, ready)
      return full(
        `${waiting.length} requests are waiting already, which is the limit; try again later.`,
        readyInMs + backlog,
      )
    }
    const doneInMs = readyInMs + this.#times.untilStart(waiting, running, ready) + (job ? this.#times.own(job) : 0)
    const lateMs = Date.now() + doneInMs - deadline
    // one that is too late already is told so, by its ticket
    if (lateMs <= 0 || Date.now() >= deadline) return null
    const seconds = Math.ceil(doneInMs / 1000)
    return full(
      `${waiting.length} requests are waiting already: this one would take ${seconds} s or more, longer than its deadline allows. Try again later, send fewer requests at once, or raise REQUEST_TIMEOUT_MS.`,
      lateMs,
    )
  }

  /** Gives waiting jobs to idle processes: to each its share, so that none of them goes without. */
  #dispatch(): void {
    clearTimeout(this.#delay)
    let { idle } = this.#pool
    if (idle.length > 0 && this.#waitsForMore()) idle = []
    for (let { first } = this.#queue; first && idle[0]; { first } = this.#queue) {
      const slot = this.#affinity.choose(idle, first.job) ?? idle[0]
      const tickets = this.#queue.take(Math.min(this.#batchSize, Math.ceil(this.#queue.size / idle.length)))
      for (const { job } of tickets) this.#affinity.remember(job, slot)
      slot.give(tickets)
      idle = this.#pool.idle
    }
    this.#checkIdle()
  }

  get #batchSize(): number {
    return this.#options.batchSize ?? BATCH[this.info?.executionProvider ?? 'cpu']
  }

  /** Whether the jobs that are there wait for others to make a batch with; sees to it that they do not wait long. */
  #waitsForMore(): boolean {
    if (this.#draining || this.#queue.size === 0 || this.#queue.size >= this.#batchSize) return false
    const waitMs = this.#queue.oldest + this.#options.batchDelayMs - performance.now()
    if (waitMs <= 0) return false
    this.#delay = setTimeout(() => this.#dispatch(), waitMs)
    return true
  }

  #onGivenUp(ticket: Ticket): void {
    this.#queue.remove(ticket)
    for (const slot of this.#pool.slots) slot.abort(ticket)
    this.#checkIdle()
  }

  /** Jobs that wait wait on, unless no process may come. */
  #onDown(): void {
    const { readyInMs, nextStartInMs } = this.#pool
    const lost = readyInMs === null ? this.#queue.take(this.#queue.size) : []
    for (const ticket of lost)
      ticket.reject(unavailable('The engine failed while this request waited; try again later.', nextStartInMs))
    this.#checkIdle()
  }

  #checkIdle(): void {
    const given = this.#pool.slots.flatMap(slot => slot.running)
    const wanted = [...given, ...this.#queue.tickets].some(ticket => !ticket.settled)
    if (this.#draining && !wanted) this.#idle.resolve()
  }
}

function draining(): CropVlmError {
  return new CropVlmError('draining', 'The service is shutting down; send the request to another instance.', {
    retryAfter: 1,
  })
}

/** @param waitMs Until trying again makes sense. */
function full(message: string, waitMs: number): CropVlmError {
  return new CropVlmError('queue_full', message, { retryAfter: retryAfterSeconds(waitMs) })
}
