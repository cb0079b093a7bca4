import type { Job } from '../protocol.js'
import type { PendingJob } from './pending-job.js'

/** Milliseconds that a job is assumed to take, for a `Retry-After`, until one has been measured. */
const FIRST_JOB_MS = 1000
/** How many of the last jobs of a kind are remembered. */
const REMEMBERED = 32

/**
 * How long jobs have taken lately, in milliseconds, for each kind of job: a page at 2048 takes many times as long as
 * one at 512. A kind that has not been measured yet counts as 0.
 */
export class JobTimes {
  /** Milliseconds a job, whatever its kind: the time of its batch divided by the number of jobs in it. */
  readonly #all = new RecentMedian(REMEMBERED, FIRST_JOB_MS)
  /** For each kind, the milliseconds from when a job was given to a process until it was answered. */
  readonly #own = new Map<string, RecentMedian>()
  /** The same, divided by the number of jobs in the batch: by how much one job delays the batch after its own. */
  readonly #share = new Map<string, RecentMedian>()

  /** @param batchSize Jobs in the batch in which it was answered. */
  add(job: Job, ms: number, batchSize: number): void {
    const kind = kindOf(job)
    this.#all.add(ms / batchSize)
    medianOf(this.#own, kind).add(ms)
    medianOf(this.#share, kind).add(ms / batchSize)
  }

  /** How long a job takes once it has been given to a process. */
  own(job: Job): number {
    return this.#own.get(kindOf(job))?.value ?? 0
  }

  /**
   * How long it takes until a job that comes now is given to a process.
   * @param waiting The jobs that wait before it.
   * @param running The jobs that have been given to processes. Of each, the part that is not done yet counts.
   * @param processes How many processes share these jobs.
   */
  untilStart(waiting: readonly PendingJob[], running: readonly PendingJob[], processes: number): number {
    const now = performance.now()
    const share = (job: Job) => this.#share.get(kindOf(job))?.value ?? 0
    const ahead = waiting.reduce((sum, { job }) => sum + share(job), 0)
    const left = running.reduce((sum, { job, startedAt }) => {
      const elapsed = now - (startedAt ?? now)
      const own = this.own(job)
      const undone = own === 0 ? 0 : Math.max(0, own - elapsed) / own
      return sum + share(job) * undone
    }, 0)
    return (ahead + left) / Math.max(1, processes)
  }

  /** How long a number of jobs of any kind takes, for a caller who is told when to try again. */
  backlog(jobs: number, processes: number): number {
    return (jobs * this.#all.value) / Math.max(1, processes)
  }
}

/** Jobs of one kind take about as long as each other. */
function kindOf(job: Job): string {
  switch (job.kind) {
    case 'locate':
      return `locate ${job.resolution} ${job.questions.length}`
    case 'render':
      return `render ${job.pictures.length}`
    case 'read':
      return 'read'
    case 'generate':
      return `generate ${job.model} ${job.resolution}`
  }
}

/** The median of a kind; a new one if there is none yet. */
function medianOf(medians: Map<string, RecentMedian>, kind: string): RecentMedian {
  const known = medians.get(kind) ?? new RecentMedian(REMEMBERED, 0)
  medians.set(kind, known)
  return known
}

/** The median of the last few durations. One job that is unusually slow, or aborted at once, does not move it. */
export class RecentMedian {
  readonly #values: number[] = []
  /** Kept, because it is read more often than it changes; null when it has to be computed again. */
  #median: number | null = null

  /**
   * @param size How many durations are remembered.
   * @param initial The value as long as there are none.
   */
  constructor(
    private readonly size: number,
    private readonly initial: number,
  ) {}

  add(value: number): void {
    this.#median = null
    this.#values.push(value)
    if (this.#values.length > this.size) this.#values.shift()
  }

  get value(): number {
    const middle = Math.floor(this.#values.length / 2)
    this.#median ??= this.#values.toSorted((a, b) => a - b)[middle] ?? this.initial
    return this.#median
  }
}
