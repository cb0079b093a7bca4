/** Repeats requests that a service refuses, and knows when to give up. */
import { ClientError } from '../../../client/error.js'
import { type Verdict, verdictOf } from './verdict.js'

/** Time and chance; tests pass their own. */
export interface Clock {
  /** Milliseconds. */
  now(): number
  /** Resolves after that time, or at once when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** 0..1 */
  random(): number
}

/** No row can be asked now. The run ends, and may go on later. */
export class ServiceLost extends Error {
  override readonly name = 'ServiceLost'
  readonly verdict: Verdict
  override readonly cause: ClientError

  constructor(verdict: Verdict, cause: ClientError) {
    super(cause.message)
    this.verdict = verdict
    this.cause = cause
  }
}

/** The run was stopped while a row waited to be asked again. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Requests for one row of which each failed for itself. */
const MAX_FAILURES = 3
/** Requests for one row that were refused while others were answered. Such a row may be one on which the engine dies. */
const MAX_REFUSALS = 10
const FIRST_WAIT_MS = 500
const MAX_WAIT_MS = 30_000
/** The most of a Retry-After that is waited for at a time. */
const MAX_RETRY_AFTER_MS = 60_000

export class Retrying {
  readonly #patienceMs: number
  readonly #signal: AbortSignal
  readonly #clock: Clock
  #lastAnswer: number

  /**
   * @param patienceMs How long the service may answer nothing but refusals.
   * @param signal Ends the waiting.
   */
  constructor(patienceMs: number, signal: AbortSignal, clock: Clock) {
    this.#patienceMs = patienceMs
    this.#signal = signal
    this.#clock = clock
    this.#lastAnswer = clock.now()
  }

  /**
   * Asks once, and again where that makes sense.
   * @throws ClientError the row has no result; ServiceLost; Stopped
   */
  async ask<T>(request: () => Promise<T>): Promise<T> {
    const begin = this.#clock.now()
    let failures = 0
    for (let tries = 1; ; tries++) {
      try {
        const reply = await request()
        this.#lastAnswer = this.#clock.now()
        return reply
      } catch (error) {
        if (!(error instanceof ClientError)) throw error
        const verdict = verdictOf(error)
        if (verdict === 'stop') throw new ServiceLost(verdict, error)
        if (verdict === 'row') {
          this.#lastAnswer = this.#clock.now()
          throw error
        }
        if (verdict === 'again') {
          if (++failures >= MAX_FAILURES) throw error
        } else {
          if (verdict === 'later' && tries >= MAX_REFUSALS && this.#lastAnswer > begin) throw error
          const since = Math.max(begin, this.#lastAnswer)
          if (this.#clock.now() - since >= this.#patienceMs) throw new ServiceLost(verdict, error)
        }
        await this.#wait(tries, error.retryAfter ?? 0)
      }
    }
  }

  /** Longer each time, no shorter than the service says, and of another length for each row. */
  async #wait(tries: number, retryAfterSeconds: number): Promise<void> {
    const own = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1))
    const said = Math.min(MAX_RETRY_AFTER_MS, 1000 * retryAfterSeconds)
    await this.#clock.sleep(Math.max(own, said) * (1 + this.#clock.random() / 2), this.#signal)
    if (this.#signal.aborted) throw new Stopped('stopped')
  }
}
