import { CropVlmError } from '../errors.js'

/**
 * Throws where nobody waits for the answer any more: the signal's own reason if it is a coded error (a deadline),
 * `request_aborted` otherwise. A run of the model cannot be cancelled, so this is asked between runs.
 */
export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  const reason: unknown = signal.reason
  if (reason instanceof CropVlmError) throw reason
  throw new CropVlmError('request_aborted', 'The request was given up before its answer was ready.')
}

/** Lets messages in (an abort among them), then asks as `throwIfAborted` does. */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  throwIfAborted(signal)
}
