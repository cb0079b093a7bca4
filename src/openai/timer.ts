/** The reason with which a `Timer` aborts its signal. */
export class TimedOut extends Error {}

export interface Timer {
  signal: AbortSignal
  clear: () => void
}

/** Like `AbortSignal.timeout`, but it can be cleared, and a negative time counts as 0. */
export function timer(ms: number): Timer {
  const controller = new AbortController()
  const handle = setTimeout(() => controller.abort(new TimedOut()), Math.max(0, ms))
  return { signal: controller.signal, clear: () => clearTimeout(handle) }
}
