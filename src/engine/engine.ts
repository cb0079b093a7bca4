import type { Span } from '../tracing/span.js'
import type { EngineInfo, Job, JobResult, ScriptMemory } from './protocol.js'

/** Who waits for a result, and until when. */
export interface Patience {
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  readonly deadline: number
  /** What the work is a part of; left out where nothing is told of it. */
  readonly span?: Span | undefined
}

/** Who waits for a job, and in which order it is run. */
export interface CallOptions extends Patience {
  /**
   * Whether the job is the second half of a request whose box has been found already. It goes before the jobs that are
   * a first half, and is not refused because others wait, so that no work is lost. Default: false.
   */
  isSecondHalf?: boolean
}

/** Decodes strangers' images and runs models, in processes of its own. */
export interface Engine {
  /**
   * Runs one job. Jobs wait in arrival order, second halves of requests before first halves; while no process is up
   * they wait for one, as long as it is expected back before their deadline.
   * @throws CropVlmError not_ready, queue_full, engine_unavailable, draining, deadline_exceeded, request_aborted, and
   * what the job itself throws (the image's codes, unsupported_resolution, unknown_target, question_too_long)
   */
  run<J extends Job>(job: J, options: CallOptions): Promise<JobResult<J>>
  /**
   * Tells what would be refused now whatever its image is: worth asking before that is received.
   * @throws CropVlmError not_ready, queue_full, engine_unavailable, draining
   */
  checkRoom(deadline: number): void
  readonly state: EngineState
  /** What a process said when it was ready, a restart ago at worst; null until then. */
  readonly info: EngineInfo | null
  /** What confines the processes, and what that forbids, or why nothing does. */
  readonly sandbox: { readonly name: string | null; readonly reason: string }
  /** Jobs waiting. */
  readonly queueSize: number
  /** Restarts of all processes since the start. */
  readonly restarts: number
  /** Jobs since the start that failed because of what a model gave, or its folder brought along. */
  readonly modelFailures: number
  /** Engine processes since the start that were ended because they held more memory than MODEL_MEMORY_LIMIT. */
  readonly memoryKills: number
  /** What a process that starts is doing, as it follows "it is": "hashing FILE, for 3 s"; null where none starts. */
  readonly step: string | null
  /** Resident bytes of each process that is up, by its number from 0; empty where the system does not tell. */
  residentBytes(): ReadonlyMap<number, number>
  /**
   * What JavaScript holds in each process that has given a sign of life, by its number; empty where heartbeats are not asked
   * for, because there was no warm-up.
   */
  scriptMemory(): ReadonlyMap<number, ScriptMemory>
  /** The same of the memory of the device that runs the models; empty on a CPU and where the system does not tell. */
  deviceBytes(): Promise<ReadonlyMap<number, number>>
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
