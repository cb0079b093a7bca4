import type { Job } from '../protocol.js'
import { RecentMedian } from './backoff.js'
import type { PendingJob } from './pending-job.js'

/** Job time assumed for a `Retry-After` until one has been measured, in milliseconds. */
const FIRST_JOB_MS = 1000
const REMEMBERED = 32

/**
 * How long jobs have taken lately, by what they ask for (a page at 2048 takes many times one at 512). All in
 * milliseconds. A kind of job that has not been measured counts for nothing.
 */
export class JobTimes {
  readonly #all = new RecentMedian(REMEMBERED, FIRST_JOB_MS)
  /** From given to answered. */
  readonly #own = new Map<string, RecentMedian>()
  /** The same by the number of jobs given together: how much later the next batch begins for it. */
  readonly #share = new Map<string, RecentMedian>()

  /** @param together Jobs of the batch in which it was answered. */
  add(job: Job, ms: number, together: number): void {
    const kind = kindOf(job)
    this.#all.add(ms / together)
    median(this.#own, kind).add(ms)
    median(this.#share, kind).add(ms / together)
  }

  /** Of a job as if nothing were ahead of it. */
  own(job: Job): number {
    return this.#own.get(kindOf(job))?.value ?? 0
  }

  /**
   * Until a job that comes now would be begun.
   * @param waiting Those before it.
   * @param running Those a process has been given: what is left of them counts.
   */
  untilStart(waiting: readonly PendingJob[], running: readonly PendingJob[], processes: number): number {
    const now = performance.now()
    const share = (job: Job) => this.#share.get(kindOf(job))?.value ?? 0
    const ahead = waiting.reduce((sum, { job }) => sum + share(job), 0)
    const left = running.reduce((sum, { job, startedAt }) => {
      const elapsed = now - (startedAt ?? now)
      const own = this.own(job)
      return sum + (own === 0 ? 0 : (share(job) * Math.max(0, own - elapsed)) / own)
    }, 0)
    return (ahead + left) / Math.max(1, processes)
  }

  /** Of `jobs` whatever they are, for a caller who is told when to come back. */
  backlog(jobs: number, processes: number): number {
    return (jobs * this.#all.value) / Math.max(1, processes)
  }
}

function kindOf(job: Job): string {
  switch (job.kind) {
    case 'locate':
      return `locate ${job.resolution} ${job.questions.length}`
    case 'render':
      return `render ${job.pictures.length}`
    case 'generate':
      return `generate ${job.model} ${job.resolution}`
  }
}

function median(medians: Map<string, RecentMedian>, kind: string): RecentMedian {
  const known = medians.get(kind) ?? new RecentMedian(REMEMBERED, 0)
  medians.set(kind, known)
  return known
}
