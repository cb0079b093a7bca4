/** How many times within the limit the process is asked whether it is alive. */
const ASKED_WITHIN = 5

export interface HeartbeatEvents {
  /** Asks the process for a sign of life. */
  ask: () => void
  /** The process has been silent for the limit. Called once. */
  onSilent: () => void
}

/**
 * Finds a process that hangs. A run of the native library blocks the process's event loop, so that a process at work is
 * silent too, and the limit has to be longer than any run.
 */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout
  readonly #limitMs: number
  /** When the process was asked and had not answered yet, on `performance.now()`'s clock; null if it has. */
  #askedAt: number | null = null

  constructor(limitMs: number, { ask, onSilent }: HeartbeatEvents) {
    this.#limitMs = limitMs
    const everyMs = limitMs / ASKED_WITHIN
    let lastTick = performance.now()
    this.#timer = setInterval(() => {
      const now = performance.now()
      // where this process itself was held up, answers may lie unread
      const isLate = now - lastTick > 2 * everyMs
      lastTick = now
      if (isLate) return
      if (this.#askedAt === null) {
        this.#askedAt = now
        ask()
      } else if (now - this.#askedAt >= this.#limitMs - everyMs) {
        this.stop()
        onSilent()
      }
    }, everyMs)
    this.#timer.unref()
  }

  /** The process has sent something. */
  heard(): void {
    this.#askedAt = null
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
