import { CropVlmError } from '../../errors.js'
import type { CallOptions } from '../engine.js'
import type { AnyResult, Job } from '../protocol.js'

/**
 * One job from when it is accepted until it is answered. Its promise settles with the job's result; it is rejected
 * earlier if the deadline passes or the caller aborts.
 */
export class PendingJob {
  readonly promise: Promise<AnyResult>
  /** When the job was accepted, on `performance.now()`'s clock. */
  readonly queuedAt = performance.now()
  /** See `CallOptions`. */
  readonly isSecondHalf: boolean
  /** When the job was given to a process, on `performance.now()`'s clock; null while it waits. */
  startedAt: number | null = null
  /** Settles the promise; null once it has been settled. */
  #settle: { resolve: (result: AnyResult) => void; reject: (error: CropVlmError) => void } | null
  readonly #cleanUp: () => void
  readonly #deadline: number
  readonly #onGivenUp: (pending: PendingJob) => void

  /**
   * @param onGivenUp Called once, after the rejection, if the deadline passes or the caller aborts: by the constructor
   * itself if that has happened already.
   */
  constructor(
    readonly id: number,
    readonly job: Job,
    { signal, deadline, isSecondHalf = false }: CallOptions,
    onGivenUp: (pending: PendingJob) => void,
  ) {
    this.isSecondHalf = isSecondHalf
    const { promise, resolve, reject } = withResolvers<AnyResult>()
    this.promise = promise
    this.#settle = { resolve, reject }
    this.#deadline = deadline
    this.#onGivenUp = onGivenUp
    const onAbort = () =>
      this.#giveUp(new CropVlmError('request_aborted', 'The caller went away before the answer came.'))
    const timer = setTimeout(() => this.#giveUp(this.#deadlineError()), Math.max(0, deadline - Date.now()))
    signal.addEventListener('abort', onAbort, { once: true })
    this.#cleanUp = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    // a signal that is aborted already fires no event
    if (signal.aborted) onAbort()
    else this.giveUpIfLate()
  }

  /** Whether the promise has been settled, so that nobody waits any more. */
  get isSettled(): boolean {
    return this.#settle === null
  }

  resolve(result: AnyResult): void {
    this.#settle?.resolve(result)
    this.#close()
  }

  reject(error: CropVlmError): void {
    this.#settle?.reject(error)
    this.#close()
  }

  /**
   * Rejects the job if its deadline has passed. A timer does so too, but late where this process was held up, and the job
   * would be given to an engine process for nobody.
   */
  giveUpIfLate(): void {
    if (!this.isSettled && this.#deadline <= Date.now()) this.#giveUp(this.#deadlineError())
  }

  #giveUp(error: CropVlmError): void {
    this.reject(error)
    this.#onGivenUp(this)
  }

  #close(): void {
    this.#settle = null
    this.#cleanUp()
  }

  #deadlineError(): CropVlmError {
    const where = this.startedAt === null ? 'while it waited in the queue' : 'while the model was at work'
    return new CropVlmError(
      'deadline_exceeded',
      `The deadline of the request passed ${where}. Send fewer requests at once, ask for a smaller resolution, or raise REQUEST_TIMEOUT_MS.`,
    )
  }
}

/** `Promise.withResolvers`, which Node 20 does not have. */
export function withResolvers<T>(): {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: Error) => void
} {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
