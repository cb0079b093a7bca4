import type { Logger } from 'pino'
import type { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo } from '../protocol.js'
import type { Phase } from './supervisor.js'
import { Slot, type SlotEvents } from './worker-process.js'

/**
 * The engine's processes as one. The first loads alone: what it writes to disk (see `vlm/graph-cache.ts`) is there
 * for the others, and models that cannot be loaded are found out once.
 */
export class Pool {
  readonly slots: Slot[] = []
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: SlotEvents
  #stopped = false

  constructor(options: EngineOptions, log: Logger, events: SlotEvents) {
    this.#options = options
    this.#log = log
    this.#events = events
    this.#add()
  }

  /** `ready` while at least one process is. */
  get phase(): Phase {
    const phases = this.slots.map(({ phase }) => phase)
    return (['ready', 'loading', 'restarting'] as const).find(phase => phases.includes(phase)) ?? 'stopped'
  }

  /** Those that may be given jobs, the one that has been idle longest first. */
  get idle(): Slot[] {
    return this.slots.filter(({ isIdle }) => isIdle).sort((a, b) => a.idleSince - b.idleSince)
  }

  get ready(): number {
    return this.slots.filter(({ phase }) => phase === 'ready').length
  }

  get restarts(): number {
    return this.slots.reduce((sum, { restarts }) => sum + restarts, 0)
  }

  /** Milliseconds until some process is expected to be ready; null where nobody knows. */
  get readyInMs(): number | null {
    const known = this.slots.map(({ readyInMs }) => readyInMs).filter(ms => ms !== null)
    return known.length > 0 ? Math.min(...known) : null
  }

  /** Milliseconds until the next attempt to start one. */
  get nextStartInMs(): number {
    return Math.min(...this.slots.map(({ nextStartInMs }) => nextStartInMs))
  }

  async stop(error: CropVlmError): Promise<void> {
    this.#stopped = true
    await Promise.all(this.slots.map(slot => slot.stop(error)))
  }

  #add(): void {
    const first = this.slots.length === 0
    const log = this.#options.processes > 1 ? this.#log.child({ process: this.slots.length }) : this.#log
    const onReady = (info: EngineInfo) => {
      // before anybody is told, so that a job which comes in answer finds all places there
      while (first && !this.#stopped && this.slots.length < this.#options.processes) this.#add()
      this.#events.onReady(info)
    }
    this.slots.push(new Slot(this.#options, log, { ...this.#events, onReady }, first))
  }
}
