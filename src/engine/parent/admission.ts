import { CropVlmError, draining } from '../../errors.js'
import type { Job } from '../protocol.js'
import { queueFull, retryAfterSeconds, unavailable } from './backoff.js'
import type { JobTimes } from './job-times.js'
import type { Pool } from './pool.js'
import type { JobQueue } from './queue.js'

/** Decides whether a new job is accepted: one that would wait in vain is refused at once. */
export class Admission {
  /** @param queueSize Jobs that may wait. */
  constructor(
    private readonly pool: Pool,
    private readonly queue: JobQueue,
    private readonly times: JobTimes,
    private readonly queueSize: number,
  ) {}

  /**
   * The error with which a new job would be refused now, or null.
   * @param job null when only the queue is to be checked: the job is not known yet, and its own time is not counted.
   * @param deadline Unix milliseconds.
   * @param isSecondHalf See `CallOptions`. Such a job goes before those that wait, so it is not refused because of
   * them.
   */
  refusal(job: Job | null, deadline: number, isSecondHalf: boolean): CropVlmError | null {
    const { phase, readyInMs, nextStartInMs, idle } = this.pool
    if (phase === 'stopped') return draining()
    if (phase === 'loading')
      return new CropVlmError('not_ready', 'The models are still being loaded; try again shortly.', {
        retryAfter: retryAfterSeconds(readyInMs ?? 0),
      })
    if (phase === 'restarting' && (readyInMs === null || Date.now() + readyInMs >= deadline))
      return unavailable('The engine is down and being restarted; try again later.', readyInMs ?? nextStartInMs)
    return isSecondHalf || idle.length > 0 ? null : this.#overload(job, deadline, readyInMs ?? 0)
  }

  /**
   * The error with which a job that has to wait would be refused, because the queue is full or the deadline too near,
   * or null.
   * @param readyInMs Milliseconds until a process is ready.
   */
  #overload(job: Job | null, deadline: number, readyInMs: number): CropVlmError | null {
    const { readyCount, running } = this.pool
    const { waiting } = this.queue
    if (waiting.length >= this.queueSize) {
      const backlog = this.times.backlog(waiting.length + running.length, readyCount)
      return queueFull(
        `${waiting.length} requests are waiting already, which is the limit; try again later.`,
        readyInMs + backlog,
      )
    }
    const doneInMs = readyInMs + this.times.untilStart(waiting, running, readyCount) + (job ? this.times.own(job) : 0)
    const lateMs = Date.now() + doneInMs - deadline
    // A job whose deadline has passed is accepted here, because `PendingJob` rejects it at once with the better error.
    if (lateMs <= 0 || Date.now() >= deadline) return null
    const seconds = Math.ceil(doneInMs / 1000)
    return queueFull(
      `${waiting.length} requests are waiting already: this one would take ${seconds} s or more, longer than its deadline allows. Try again later, send fewer requests at once, or raise REQUEST_TIMEOUT_MS.`,
      lateMs,
    )
  }
}
