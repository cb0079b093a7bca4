/** How many times within the limit the process is asked whether it is alive. */
const ASKED_WITHIN = 5

export interface HeartbeatEvents {
  /** Asks the process for a sign of life. */
  ask: () => void
  /** How long the process has waited for a core, in milliseconds since this was asked last. */
  waitedMs: () => number
  /** The process has been silent for the limit. Called once. */
  onSilent: () => void
}

/**
 * Finds a process that hangs. A run of the native library blocks the process's event loop, so that a process at work is
 * silent too, and the limit has to be longer than any run. What a busy machine kept it waiting for a core does not count.
 */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout
  /** Of the first question without an answer: its time on `performance.now()`'s clock, and what was waited since. */
  #asked: { at: number; waitedMs: number } | null = null

  constructor(limitMs: number, { ask, waitedMs, onSilent }: HeartbeatEvents) {
    const everyMs = limitMs / ASKED_WITHIN
    let lastTick = performance.now()
    this.#timer = setInterval(() => {
      const now = performance.now()
      // where this process itself was held up, answers may lie unread
      const isLate = now - lastTick > 2 * everyMs
      lastTick = now
      if (isLate) return
      if (this.#asked === null) {
        waitedMs()
        this.#asked = { at: now, waitedMs: 0 }
        ask()
        return
      }
      // added up piece by piece: a run goes on in one thread after the other, and each may have waited
      this.#asked.waitedMs += waitedMs()
      if (now - this.#asked.at - this.#asked.waitedMs < limitMs - everyMs) return
      this.stop()
      onSilent()
    }, everyMs)
    this.#timer.unref()
  }

  /** The process has sent something. */
  heard(): void {
    this.#asked = null
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
