/** When to restart a process, and how long to tell callers to wait. */
import { CropVlmError } from '../../errors.js'

/**
 * Milliseconds before a restart: 0 for the first, then `firstDelayMs`, doubling each time, up to `maxDelayMs`.
 * @param crashes How often the process has died since a job was answered last, this death included.
 */
export function restartDelay(
  crashes: number,
  { firstDelayMs, maxDelayMs }: { firstDelayMs: number; maxDelayMs: number },
): number {
  return crashes <= 1 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(crashes - 2, 30))
}

/** Whole seconds for a `Retry-After`, 1..60, from an expected wait in milliseconds. */
export function retryAfterSeconds(waitMs: number): number {
  return Math.min(60, Math.max(1, Math.ceil(waitMs / 1000)))
}

/**
 * The error of a job that finds no process to run it.
 * @param waitMs Milliseconds until trying again makes sense.
 */
export function unavailable(message: string, waitMs: number): CropVlmError {
  return new CropVlmError('engine_unavailable', message, { retryAfter: retryAfterSeconds(waitMs) })
}

/**
 * The error of a job for which there is no room.
 * @param waitMs Milliseconds until trying again makes sense.
 */
export function queueFull(message: string, waitMs: number): CropVlmError {
  return new CropVlmError('queue_full', message, { retryAfter: retryAfterSeconds(waitMs) })
}
