import { getEventListeners } from 'node:events'
import t from 'tap'
import { findInTime } from '../../../src/proxy/crop/find-in-time.js'
import type { CropOutcome } from '../../../src/proxy/crop/outcome.js'
import type { PlannedCrop } from '../../../src/proxy/crop/plan.js'

const crops = (count: number) => Array.from({ length: count }, (_, message) => ({ turn: { message } }) as PlannedCrop)
const outcome = (reason: string): CropOutcome => ({ decision: 'skipped', reason })
const nobody = new AbortController().signal

t.test('the newest first, four at once, each outcome in its place', async t => {
  const begun: number[] = []
  let [inFlight, most] = [0, 0]
  const outcomes = await findInTime(crops(10), 60_000, { signal: nobody }, async ({ turn }) => {
    begun.push(turn.message)
    most = Math.max(most, ++inFlight)
    await new Promise(resolve => setImmediate(resolve))
    inFlight--
    return outcome(String(turn.message))
  })
  t.strictSame(begun, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  t.equal(most, 4)
  t.strictSame(
    outcomes.map(found => found.decision === 'skipped' && found.reason),
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
  )
})

t.test('what is not there in time is too slow, and nobody looks for it any longer', async t => {
  const begun: number[] = []
  const outcomes = await findInTime(crops(9), 50, { signal: nobody }, async ({ turn }, { signal }) => {
    begun.push(turn.message)
    if (turn.message === 8) return outcome('quick')
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    return outcome('late')
  })
  t.match(outcomes.slice(0, 8), Array(8).fill({ decision: 'failed', reason: 'too_slow' }))
  t.match(outcomes[8], { reason: 'quick' })
  t.strictSame(begun, [8, 7, 6, 5, 4])
})

t.test('a client that goes ends it', async t => {
  const client = new AbortController()
  const found = findInTime(crops(1), 60_000, { signal: client.signal }, () => new Promise(() => {}))
  client.abort()
  await t.rejects(found, { code: 'request_aborted' })
  t.strictSame(await findInTime([], 60_000, { signal: nobody }, () => Promise.reject()), [])
})

t.test('nothing waits for the signals any more once the crops are found', async t => {
  const signals = new Set<AbortSignal>()
  await findInTime(crops(2), 60_000, { signal: nobody }, async (_crop, { signal }) => {
    signals.add(signal)
    return outcome('whole_image')
  })
  t.equal(signals.size, 1)
  // Node keeps a signal made of others while it has a listener, and with it the body of the request, which the listener sees
  for (const signal of signals) t.same(getEventListeners(signal, 'abort'), [])
})
