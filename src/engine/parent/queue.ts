import type { PendingJob } from './pending-job.js'

/**
 * Jobs that no process has been given yet, in the order in which they will be: second halves of requests before first
 * halves, those that came earlier before those that came later.
 */
export class JobQueue {
  #waiting: PendingJob[] = []

  get size(): number {
    return this.#waiting.length
  }

  get first(): PendingJob | undefined {
    return this.#waiting[0]
  }

  get waiting(): readonly PendingJob[] {
    return this.#waiting
  }

  /** When the job came that has waited longest, on `performance.now()`'s clock. */
  get oldest(): number {
    return Math.min(...this.#waiting.map(({ queuedAt }) => queuedAt))
  }

  add(pending: PendingJob): void {
    const firstHalves = this.#waiting.filter(({ isSecondHalf }) => !isSecondHalf).length
    const after = pending.isSecondHalf ? firstHalves : 0
    this.#waiting.splice(this.#waiting.length - after, 0, pending)
  }

  /** Does nothing where the job is not here. */
  remove(pending: PendingJob): void {
    this.#waiting = this.#waiting.filter(other => other !== pending)
  }

  /** At most `count` jobs from the front. */
  take(count: number): PendingJob[] {
    return this.#waiting.splice(0, count)
  }
}
