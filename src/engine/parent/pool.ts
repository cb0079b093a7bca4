import type { Logger } from 'pino'
import type { CropVlmError } from '../../errors.js'
import type { EngineOptions } from '../options.js'
import type { EngineInfo, ScriptMemory } from '../protocol.js'
import type { PendingJob } from './pending-job.js'
import type { Phase } from './process/supervisor.js'
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

  /** The best phase of any process: `ready` while at least one is. */
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

  /** What JavaScript holds in each process that has told, by the process's number. */
  get scriptMemory(): Map<number, ScriptMemory> {
    const all = this.#processes.map(({ scriptMemory }, number) => [number, scriptMemory] as const)
    return new Map(all.filter((entry): entry is [number, ScriptMemory] => entry[1] !== null))
  }

  /** How many processes are ready. */
  get readyCount(): number {
    return this.#processes.filter(({ phase }) => phase === 'ready').length
  }

  get modelFailures(): number {
    return this.#processes.reduce((sum, { modelFailures }) => sum + modelFailures, 0)
  }

  get memoryKills(): number {
    return this.#processes.reduce((sum, { memoryKills }) => sum + memoryKills, 0)
  }

  /** What the first process that starts is doing. */
  get step(): string | null {
    return this.#processes.map(({ step }) => step).find(step => step !== null) ?? null
  }

  get restarts(): number {
    return this.#processes.reduce((sum, { restarts }) => sum + restarts, 0)
  }

  /** Milliseconds until one of the processes is expected to be ready, 0 if one is; null if that is known of none. */
  get readyInMs(): number | null {
    const known = this.#processes.map(({ readyInMs }) => readyInMs).filter(ms => ms !== null)
    return known.length > 0 ? Math.min(...known) : null
  }

  /** Milliseconds until the next attempt to start a process. */
  get nextStartInMs(): number {
    return Math.min(...this.#processes.map(({ nextStartInMs }) => nextStartInMs))
  }

  /** Tells the process that has been given the job, if there is one, that nobody waits for it any more. */
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
      // The others are added before anybody is told that the engine is ready: a job that comes at once finds them all.
      while (first && !this.#stopped && this.#processes.length < this.#options.processes) this.#add()
      this.#events.onReady(info)
    }
    this.#processes.push(new WorkerProcess(this.#options, log, { ...this.#events, onReady }, first))
  }
}
