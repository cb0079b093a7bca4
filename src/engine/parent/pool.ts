import type { Logger } from 'pino'
import type { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo } from '../protocol.js'
import type { PendingJob } from './pending-job.js'
import type { Phase } from './supervisor.js'
import { WorkerProcess, type WorkerProcessEvents } from './worker-process.js'

/**
 * All processes of the engine. The first process loads alone, so that the others find the optimised graphs that it
 * writes to disk (`vlm/onnx/optimised/`), and so that models which cannot be loaded are reported once.
 */
export class Pool {
  readonly #processes: WorkerProcess[] = []
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: WorkerProcessEvents
  #stopped = false

  constructor(options: EngineOptions, log: Logger, events: WorkerProcessEvents) {
    this.#options = options
    this.#log = log
    this.#events = events
    this.#add()
  }

  /** `ready` while at least one process is. */
  get phase(): Phase {
    const phases = this.#processes.map(({ phase }) => phase)
    return (['ready', 'loading', 'restarting'] as const).find(phase => phases.includes(phase)) ?? 'stopped'
  }

  /** The processes that can be given jobs; the one that has been idle longest comes first. */
  get idle(): WorkerProcess[] {
    return this.#processes.filter(({ isIdle }) => isIdle).sort((a, b) => a.idleSince - b.idleSince)
  }

  /** Jobs that processes have been given and have not answered. */
  get running(): PendingJob[] {
    return this.#processes.flatMap(({ running }) => running)
  }

  /** The process id of each process, in the order of their numbers; null for one that is not running at the moment. */
  get pids(): (number | null)[] {
    return this.#processes.map(({ pid }) => pid)
  }

  /** How many processes are ready. */
  get ready(): number {
    return this.#processes.filter(({ phase }) => phase === 'ready').length
  }

  get restarts(): number {
    return this.#processes.reduce((sum, { restarts }) => sum + restarts, 0)
  }

  /** Milliseconds until the first process is expected to be ready; null if that is not known of any. */
  get readyInMs(): number | null {
    const known = this.#processes.map(({ readyInMs }) => readyInMs).filter(ms => ms !== null)
    return known.length > 0 ? Math.min(...known) : null
  }

  /** Milliseconds until the next attempt to start one. */
  get nextStartInMs(): number {
    return Math.min(...this.#processes.map(({ nextStartInMs }) => nextStartInMs))
  }

  /** Nobody waits for the job any more. */
  abort(pending: PendingJob): void {
    for (const process of this.#processes) process.abort(pending)
  }

  async stop(error: CropVlmError): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#processes.map(process => process.stop(error)))
  }

  #add(): void {
    const first = this.#processes.length === 0
    const log = this.#options.processes > 1 ? this.#log.child({ process: this.#processes.length }) : this.#log
    const onReady = (info: EngineInfo) => {
      // the others are added before anybody is told: a job that comes at once is to find them all
      while (first && !this.#stopped && this.#processes.length < this.#options.processes) this.#add()
      this.#events.onReady(info)
    }
    this.#processes.push(new WorkerProcess(this.#options, log, { ...this.#events, onReady }, first))
  }
}
