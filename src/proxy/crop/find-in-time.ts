import type { Patience } from '../../engine/engine.js'
import { CropVlmError } from '../../errors.js'
import type { CropOutcome, NoCrop } from './outcome.js'
import type { PlannedCrop } from './plan.js'

/** How many crops of one request are looked for at once, so that a long conversation does not fill the engine's queue. */
const MAX_AT_ONCE = 4

/**
 * Finds crops, that of the newest question first, for `budgetMs` milliseconds at most.
 * @param client `signal` is aborted when the client has gone.
 * @param find Throws nothing.
 * @returns the outcomes in the order of `planned`; of those that were not there in time `too_slow`
 * @throws CropVlmError request_aborted
 */
export async function findInTime(
  planned: readonly PlannedCrop[],
  budgetMs: number,
  { signal, span }: Omit<Patience, 'deadline'>,
  find: (crop: PlannedCrop, patience: Patience) => Promise<CropOutcome>,
): Promise<CropOutcome[]> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), budgetMs)
  const patience = { signal: AbortSignal.any([signal, late.signal]), deadline: Date.now() + budgetMs, span }
  let onOver = () => {}
  const over = new Promise<void>(resolve => {
    onOver = resolve
    patience.signal.addEventListener('abort', onOver, { once: true })
  })
  const outcomes: CropOutcome[] = planned.map(() => tooSlow(budgetMs))
  const waiting = [...planned.entries()]
  const work = async () => {
    for (let next = waiting.pop(); next && !patience.signal.aborted; next = waiting.pop()) {
      const [i, crop] = next
      const outcome = await find(crop, patience)
      // what ends because the time is over says so in its own words
      if (!patience.signal.aborted) outcomes[i] = outcome
    }
  }
  await Promise.race([Promise.all(Array.from({ length: MAX_AT_ONCE }, work)), over])
  clearTimeout(timer)
  // Node keeps a signal made of others, and all that its listeners see, for as long as it has a listener and is not aborted
  patience.signal.removeEventListener('abort', onOver)
  if (signal.aborted) throw new CropVlmError('request_aborted', 'The client went away.')
  return [...outcomes]
}

function tooSlow(budgetMs: number): NoCrop {
  const error = new CropVlmError('deadline_exceeded', `The crop was not found within ZOOM_BUDGET_MS (${budgetMs} ms).`)
  return { decision: 'failed', reason: 'too_slow', error }
}
