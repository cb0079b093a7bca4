import { CropVlmError } from '../../errors.js'

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

/** Aborted once all of `signals` are: when nobody waits any more for what they share. */
export function allAborted(signals: readonly AbortSignal[]): AbortSignal {
  const [only] = signals
  if (signals.length === 1 && only) return only
  const all = new AbortController()
  let left = signals.length
  const count = () => {
    if (--left === 0) all.abort()
  }
  for (const signal of signals) {
    if (signal.aborted) count()
    else signal.addEventListener('abort', count, { once: true })
  }
  return all.signal
}
