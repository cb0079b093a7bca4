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
   * @param job null to ask for a job that is not known yet and takes no time.
   * @param isSecondHalf Such a job goes before those that wait, so that it is not refused for them.
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

  /** The error with which a job that has to wait would be refused, because the queue is full or its deadline too near; or null. */
  #overload(job: Job | null, deadline: number, readyInMs: number): CropVlmError | null {
    const { ready, running } = this.pool
    const { waiting } = this.queue
    if (waiting.length >= this.queueSize) {
      const backlog = this.times.backlog(waiting.length + running.length, ready)
      return queueFull(
        `${waiting.length} requests are waiting already, which is the limit; try again later.`,
        readyInMs + backlog,
      )
    }
    const doneInMs = readyInMs + this.times.untilStart(waiting, running, ready) + (job ? this.times.own(job) : 0)
    const lateMs = Date.now() + doneInMs - deadline
    // a job whose deadline has passed is accepted: it is rejected at once with the error that says so
    if (lateMs <= 0 || Date.now() >= deadline) return null
    const seconds = Math.ceil(doneInMs / 1000)
    return queueFull(
      `${waiting.length} requests are waiting already: this one would take ${seconds} s or more, longer than its deadline allows. Try again later, send fewer requests at once, or raise REQUEST_TIMEOUT_MS.`,
      lateMs,
    )
  }
}
