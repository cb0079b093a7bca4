import type { Logger } from 'pino'
import { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo, EngineReply } from '../protocol.js'
import { retryAfterSeconds } from './backoff.js'
import type { Ticket } from './pending-job.js'
import { type Phase, Supervisor } from './supervisor.js'

export interface SlotEvents {
  onReady: (info: EngineInfo) => void
  /** A job was answered with a result. @param together Jobs that were given with it, itself included. */
  onDone: (ticket: Ticket, ms: number, together: number) => void
  /** It may be given the next jobs. */
  onIdle: () => void
  /** Its process is gone, with the jobs it had, which have been rejected. */
  onDown: () => void
  /** The first load of all failed. */
  onFatal: (error: CropVlmError) => void
}

/** Place of one engine process, and the jobs that it has been given; its death costs those and no others. */
export class Slot {
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: SlotEvents
  readonly #supervisor: Supervisor
  /** Not answered yet, also where nobody waits any more. */
  readonly #running = new Map<number, Ticket>()
  #together = 0
  /** When it had nothing to do last, on `performance.now()`'s clock. */
  idleSince = 0

  /** @param first Whether a failed first load is for good; the other processes of an engine try again. */
  constructor(options: EngineOptions, log: Logger, events: SlotEvents, first: boolean) {
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

  get running(): readonly Ticket[] {
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
  give(tickets: readonly Ticket[]): void {
    this.#together = tickets.length
    for (const ticket of tickets) {
      ticket.startedAt = performance.now()
      this.#running.set(ticket.id, ticket)
    }
    this.#supervisor.send({ type: 'jobs', jobs: tickets.map(({ id, job }) => ({ id, job })) })
  }

  /** Nobody waits for the job any more. Does nothing where the process does not have it. */
  abort({ id }: Ticket): void {
    if (!this.#running.has(id)) return
    this.#supervisor.send({ type: 'abort', id })
    this.#killIfHung(id)
  }

  /** Ends the process for good; jobs it has are rejected with `error`. */
  async stop(error: CropVlmError): Promise<void> {
    const stopped = this.#supervisor.stop()
    for (const ticket of this.#running.values()) ticket.reject(error)
    this.#running.clear()
    await stopped
  }

  #onReply(reply: Extract<EngineReply, { type: 'result' | 'error' }>): void {
    const ticket = this.#running.get(reply.id)
    if (!ticket || ticket.startedAt === null) return
    this.#running.delete(reply.id)
    if (reply.type === 'error') ticket.reject(CropVlmError.fromWire(reply.error))
    else {
      this.#events.onDone(ticket, performance.now() - ticket.startedAt, this.#together)
      const timings = { ...reply.result.timings, queue: ticket.startedAt - ticket.queuedAt }
      ticket.resolve({ ...reply.result, timings })
    }
    if (this.#running.size > 0) return
    this.idleSince = performance.now()
    this.#events.onIdle()
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

  #onDown(how: string): void {
    const lost = this.running
    this.#running.clear()
    const message = 'The engine failed while it had this request, and is being restarted; try again.'
    for (const ticket of lost) ticket.reject(unavailable(message, this.readyInMs ?? this.nextStartInMs))
    if (lost.length > 0) this.#log.warn({ jobs: lost.length }, `jobs lost because the engine process ${how}`)
    this.#events.onDown()
  }
}

/** @param waitMs Until trying again makes sense. */
export function unavailable(message: string, waitMs: number): CropVlmError {
  return new CropVlmError('engine_unavailable', message, { retryAfter: retryAfterSeconds(waitMs) })
}
