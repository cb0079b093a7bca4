/**
 * The parent side of the engine, and the only door to it: a bounded queue in front of one child process that decodes
 * strangers' images and runs models, and that may be killed and restarted at any time without losing the server.
 */
import type { Logger } from 'pino'
import { CropVlmError } from '../errors.js'
import { RecentMedian, retryAfterSeconds } from './backoff.js'
import type { EngineOptions } from './options.js'
import type { EngineInfo, EngineReply, Job, JobResult } from './protocol.js'
import { Supervisor } from './supervisor.js'
import { Ticket, withResolvers } from './ticket.js'

export interface Engine {
  /**
   * Runs one job. Jobs wait in arrival order, `generate` before `crop`; while the process is being restarted they wait
   * for it, as long as it is expected back before their deadline.
   * @param options `deadline`: Unix milliseconds after which nobody waits.
   * @throws CropVlmError not_ready, queue_full, engine_unavailable, draining, deadline_exceeded, request_aborted, and
   * what the job itself throws (the image's codes, unsupported_resolution).
   */
  run<J extends Job>(job: J, options: { signal: AbortSignal; deadline: number }): Promise<JobResult<J>>
  readonly state: EngineState
  /** What the process said when it was ready, a restart ago at worst; null until then. */
  readonly info: EngineInfo | null
  /** Jobs waiting. */
  readonly queueSize: number
  /** Restarts since the start. */
  readonly restarts: number
  /** Refuses new jobs, finishes those accepted, then stops the process. */
  drain(): Promise<void>
  /** Stops the process now; jobs still there are rejected. */
  close(): Promise<void>
}

export type EngineState = 'loading' | 'ready' | 'restarting' | 'draining' | 'stopped'

/** An engine whose first load can be waited for. */
export interface StartedEngine extends Engine {
  /** Resolves once a model has really answered; rejects, for good, if the first load fails. Later crashes do not touch it. */
  readonly ready: Promise<EngineInfo>
}

/** Starts the engine process and begins to load its models. */
export function startEngine(options: EngineOptions, log: Logger): StartedEngine {
  return new EngineClient(options, log)
}

/** Job time assumed until one has been measured, in milliseconds. */
const FIRST_JOB_MS = 1000

class EngineClient implements StartedEngine {
  readonly ready: Promise<EngineInfo>
  info: EngineInfo | null = null
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #supervisor: Supervisor
  readonly #firstLoad = withResolvers<EngineInfo>()
  readonly #idle = withResolvers<void>()
  readonly #jobMs = new RecentMedian(32, FIRST_JOB_MS)
  #waiting: Ticket[] = []
  /** What the process has been given and has not answered, also where nobody waits any more. */
  readonly #running = new Map<number, Ticket>()
  #draining = false
  #nextId = 1

  constructor(options: EngineOptions, log: Logger) {
    this.#options = options
    this.#log = log
    this.ready = this.#firstLoad.promise
    // who waits for it sees the rejection, but nobody has to
    this.ready.catch(() => {})
    this.#supervisor = new Supervisor(options, log, {
      onReady: info => {
        this.info = info
        this.#firstLoad.resolve(info)
        this.#dispatch()
      },
      onReply: reply => this.#onReply(reply),
      onDown: how => this.#onDown(how),
      onFatal: error => this.#firstLoad.reject(error),
    })
  }

  get state(): EngineState {
    const { phase } = this.#supervisor
    return this.#draining && phase !== 'stopped' ? 'draining' : phase
  }

  get queueSize(): number {
    return this.#waiting.length
  }

  get restarts(): number {
    return this.#supervisor.restarts
  }

  async run<J extends Job>(
    job: J,
    { signal, deadline }: { signal: AbortSignal; deadline: number },
  ): Promise<JobResult<J>> {
    const refusal = this.#refusal(job, deadline)
    if (refusal) throw refusal
    const ticket = new Ticket(this.#nextId++, job, deadline, signal, given => this.#onGivenUp(given))
    if (!ticket.settled) this.#enqueue(ticket)
    this.#dispatch()
    return (await ticket.promise) as JobResult<J>
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#checkIdle()
    await this.#idle.promise
    await this.close()
  }

  async close(): Promise<void> {
    this.#draining = true
    const stopped = this.#supervisor.stop()
    const error = draining()
    this.#firstLoad.reject(error)
    for (const ticket of [...this.#waiting.splice(0), ...this.#running.values()]) ticket.reject(error)
    this.#running.clear()
    this.#idle.resolve()
    await stopped
  }

  /** Why a new job is not accepted now; null if it is. */
  #refusal(job: Job, deadline: number): CropVlmError | null {
    const { phase, readyInMs, nextStartInMs } = this.#supervisor
    if (this.#draining || phase === 'stopped') return draining()
    if (phase === 'loading')
      return new CropVlmError('not_ready', 'The models are still being loaded; try again shortly.', {
        retryAfter: retryAfterSeconds(readyInMs ?? 0),
      })
    if (phase === 'restarting' && (readyInMs === null || Date.now() + readyInMs >= deadline))
      return unavailable('The engine is down and being restarted; try again later.', readyInMs ?? nextStartInMs)
    if (job.kind === 'crop' && this.#waiting.length >= this.#options.queueSize && !this.#canDispatch())
      return new CropVlmError(
        'queue_full',
        `${this.#waiting.length} requests are waiting already, which is the limit; try again later.`,
        {
          retryAfter: retryAfterSeconds((readyInMs ?? 0) + this.#backlogMs()),
        },
      )
    return null
  }

  /** How long the jobs that are here will take, in milliseconds. */
  #backlogMs(): number {
    const jobs = this.#waiting.length + this.#running.size
    return (jobs * this.#jobMs.value) / this.#options.concurrency
  }

  /**
   * An answer is the second half of a request whose box has been found already: it goes before those that have not
   * begun, and is not refused for a full queue, so that no work is lost. Their number is that of requests begun.
   */
  #enqueue(ticket: Ticket): void {
    const begun = this.#waiting.filter(({ job }) => job.kind === 'generate')
    const others = this.#waiting.filter(({ job }) => job.kind !== 'generate')
    this.#waiting = ticket.job.kind === 'generate' ? [...begun, ticket, ...others] : [...begun, ...others, ticket]
  }

  #canDispatch(): boolean {
    return this.#supervisor.phase === 'ready' && this.#running.size < this.#options.concurrency
  }

  #dispatch(): void {
    while (this.#canDispatch()) {
      const ticket = this.#waiting.shift()
      if (!ticket) break
      ticket.startedAt = performance.now()
      this.#running.set(ticket.id, ticket)
      this.#supervisor.send({ type: 'job', id: ticket.id, job: ticket.job })
    }
    this.#checkIdle()
  }

  #onReply(reply: Extract<EngineReply, { type: 'result' | 'error' }>): void {
    const ticket = this.#running.get(reply.id)
    if (!ticket || ticket.startedAt === null) return
    this.#running.delete(reply.id)
    if (reply.type === 'error') ticket.reject(CropVlmError.fromWire(reply.error))
    else {
      this.#jobMs.add(performance.now() - ticket.startedAt)
      const timings = { ...reply.result.timings, queue: ticket.startedAt - ticket.queuedAt }
      ticket.resolve({ ...reply.result, timings })
    }
    this.#dispatch()
  }

  #onGivenUp(ticket: Ticket): void {
    this.#waiting = this.#waiting.filter(other => other !== ticket)
    if (this.#running.has(ticket.id)) {
      this.#supervisor.send({ type: 'abort', id: ticket.id })
      this.#killIfHung(ticket.id)
    }
    this.#checkIdle()
  }

  /**
   * A run of the native library cannot be interrupted: the only way out of one that does not end is the whole process.
   * Takes the id alone: a timer that held the ticket would keep its image for as long, even where the engine let go at once.
   */
  #killIfHung(id: number): void {
    const { hangMs } = this.#options
    const kill = () => {
      if (this.#running.has(id))
        this.#supervisor.kill(`did not react for ${hangMs} ms after job ${id} was given up, and was killed`)
    }
    setTimeout(kill, hangMs).unref()
  }

  /** Jobs that were running are lost with their process; those waiting wait on, unless no process may come. */
  #onDown(how: string): void {
    const { readyInMs, nextStartInMs } = this.#supervisor
    const lost = [...this.#running.values(), ...(readyInMs === null ? this.#waiting.splice(0) : [])]
    this.#running.clear()
    for (const ticket of lost)
      ticket.reject(
        unavailable(
          'The engine failed while it had this request, and is being restarted; try again.',
          readyInMs ?? nextStartInMs,
        ),
      )
    if (lost.length > 0) this.#log.warn({ jobs: lost.length }, `jobs lost because the engine process ${how}`)
    this.#checkIdle()
  }

  #checkIdle(): void {
    const wanted = [...this.#running.values(), ...this.#waiting].some(ticket => !ticket.settled)
    if (this.#draining && !wanted) this.#idle.resolve()
  }
}

function draining(): CropVlmError {
  return new CropVlmError('draining', 'The service is shutting down; send the request to another instance.', {
    retryAfter: 1,
  })
}

function unavailable(message: string, waitMs: number): CropVlmError {
  return new CropVlmError('engine_unavailable', message, { retryAfter: retryAfterSeconds(waitMs) })
}
