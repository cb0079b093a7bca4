import type { Logger } from 'pino'
import type { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo } from '../protocol.js'
import type { PendingJob } from './pending-job.js'
import type { Phase } from './supervisor.js'
import { WorkerProcess, type WorkerProcessEvents } from './worker-process.js'

/**
 * The engine's processes as one. The first loads alone: what it writes to disk (`vlm/onnx/optimised/`) is there
 * for the others, and models that cannot be loaded are found out once.
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

  /** Those that may be given jobs, the one that has been idle longest first. */
  get idle(): WorkerProcess[] {
    return this.#processes.filter(({ isIdle }) => isIdle).sort((a, b) => a.idleSince - b.idleSince)
  }

  /** Jobs that processes have been given and have not answered. */
  get running(): PendingJob[] {
    return this.#processes.flatMap(({ running }) => running)
  }

  /** Of each process, by its number from 0; null where there is none at the moment. */
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

  /** Milliseconds until some process is expected to be ready; null where nobody knows. */
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
      // before anybody is told, so that a job which comes in answer finds all places there
      while (first && !this.#stopped && this.#processes.length < this.#options.processes) this.#add()
      this.#events.onReady(info)
    }
    this.#processes.push(new WorkerProcess(this.#options, log, { ...this.#events, onReady }, first))
  }
}
