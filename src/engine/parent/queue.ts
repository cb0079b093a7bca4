import type { PendingJob } from './pending-job.js'

/**
 * Jobs that have not been given to a process yet, in the order in which they will be: second halves of requests (see
 * `CallOptions`) before first halves, and among equals those that came earlier before those that came later.
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

  /** When the job that has waited longest came, on `performance.now()`'s clock; Infinity if none waits. */
  get oldest(): number {
    return Math.min(...this.#waiting.map(({ queuedAt }) => queuedAt))
  }

  add(pending: PendingJob): void {
    const secondHalves = this.#waiting.filter(({ isSecondHalf }) => isSecondHalf).length
    this.#waiting.splice(pending.isSecondHalf ? secondHalves : this.#waiting.length, 0, pending)
  }

  /** Does nothing if the job is not in the queue. */
  remove(pending: PendingJob): void {
    this.#waiting = this.#waiting.filter(other => other !== pending)
  }

  /** Removes at most `count` jobs from the front and returns them. */
  take(count: number): PendingJob[] {
    return this.#waiting.splice(0, count)
  }
}
