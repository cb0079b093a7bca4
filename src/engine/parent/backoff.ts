/** When to restart, and what to tell callers to wait: pure arithmetic. */

/**
 * Milliseconds before a restart. The first after a healthy process is at once; then `firstDelayMs`, doubling, up to
 * `maxDelayMs`.
 * @param crashes Deaths in a row without a job answered in between, this one included.
 */
export function restartDelay(
  crashes: number,
  { firstDelayMs, maxDelayMs }: { firstDelayMs: number; maxDelayMs: number },
): number {
  return crashes <= 1 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(crashes - 2, 30))
}

/** Whole seconds for a `Retry-After`, from an expected wait in milliseconds: 1..60. */
export function retryAfterSeconds(waitMs: number): number {
  return Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)))
}

/** The median of the last few durations: one slow job, or one aborted at once, does not move it. */
export class RecentMedian {
  readonly #values: number[] = []
  /** Asked for more often than it changes. */
  #median: number | null = null

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
