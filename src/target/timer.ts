/** Why a `Timer`'s signal is aborted. */
export class TimedOut extends Error {}

export interface Timer {
  signal: AbortSignal
  clear: () => void
}

/** Like `AbortSignal.timeout`, but it can be cleared, and a time that has passed already is no error. */
export function timer(ms: number): Timer {
  const controller = new AbortController()
  const handle = setTimeout(() => controller.abort(new TimedOut()), Math.max(0, ms))
  return { signal: controller.signal, clear: () => clearTimeout(handle) }
}
