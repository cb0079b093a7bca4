/** What a failure says of its endpoint. */
export type Verdict =
  /** It cannot be reached, does not answer in time, or says that it is broken. */
  | 'down'
  /** It answered, though not what was wanted. */
  | 'up'
  /** Nothing: nobody waited for it. */
  | 'unknown'

export interface BreakerState {
  /** Whether calls are refused now. */
  open: boolean
  /** Failures in a row that say that the endpoint is down. */
  failures: number
  /** Milliseconds until a call is let through again; null where none is refused. */
  retryInMs: number | null
}

/** The refusal of a call. */
export class BreakerOpen extends Error {
  override readonly name = 'BreakerOpen'

  constructor(readonly state: BreakerState) {
    super('The breaker is open.')
  }
}

interface BreakerOptions {
  /** Failures in a row after which calls are refused; 0: none is ever refused. */
  failures: number
  /** Milliseconds for which they are refused, until one is let through. */
  openMs: number
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

/**
 * Refuses the calls of an endpoint that is down, so that nobody waits for it. When the time is up, one call is let through:
 * if it is answered, all are again, else they are refused for the same time once more.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>
  #failures = 0
  /** When the next call is let through; null while calls are not refused. */
  #nextTry: number | null = null
  /** Whether the call that is let through is on its way. */
  #isTrying = false

  constructor({ failures, openMs, now = () => performance.now() }: BreakerOptions) {
    this.#options = { failures, openMs, now }
  }

  get state(): BreakerState {
    const open = this.#nextTry !== null
    const left = Math.ceil((this.#nextTry ?? 0) - this.#options.now())
    return { open, failures: this.#failures, retryInMs: open ? Math.max(0, left) : null }
  }

  /** @throws BreakerOpen if a call would be refused now */
  check(): void {
    const { state } = this
    if (state.open && (this.#isTrying || state.retryInMs !== 0)) throw new BreakerOpen(state)
  }

  /**
   * Makes a call, if it is not refused.
   * @param judge What an error of the call says of the endpoint.
   * @throws BreakerOpen, and what the call throws
   */
  async run<T>(call: () => Promise<T>, judge: (error: unknown) => Verdict): Promise<T> {
    this.check()
    const isTry = this.#nextTry !== null
    if (isTry) this.#isTrying = true
    try {
      const result = await call()
      this.#isUp()
      return result
    } catch (error) {
      const verdict = judge(error)
      if (verdict === 'up') this.#isUp()
      if (verdict === 'down') this.#isDown()
      throw error
    } finally {
      if (isTry) this.#isTrying = false
    }
  }

  #isUp(): void {
    this.#failures = 0
    this.#nextTry = null
  }

  #isDown(): void {
    const { failures, openMs, now } = this.#options
    this.#failures++
    if (failures > 0 && this.#failures >= failures) this.#nextTry = now() + openMs
  }
}
