import { CropVlmError } from '../../errors.js'

/**
 * Throws if the signal was aborted, because nobody waits for the answer any more. A run of a graph cannot be
 * cancelled, so this is called between runs.
 * @throws CropVlmError request_aborted, or the signal's own reason if that is a CropVlmError (a deadline, for example)
 */
export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return
  const reason: unknown = signal.reason
  if (reason instanceof CropVlmError) throw reason
  throw new CropVlmError('request_aborted', 'The request was given up before its answer was ready.')
}

/**
 * Lets the event loop deliver waiting messages, of which one may abort the signal, and then checks the signal.
 * @throws CropVlmError as `throwIfAborted`
 */
export async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  throwIfAborted(signal)
}

/** A signal that is aborted once all of `signals` are. Work that several requests share goes on until then. */
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
