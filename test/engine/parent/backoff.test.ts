import t from 'tap'
import { restartDelay, retryAfterSeconds } from '../../../src/engine/parent/backoff.js'

t.test('restarts at once, then later and later', async t => {
  const delays = { firstDelayMs: 500, maxDelayMs: 30_000 }
  t.same(
    [1, 2, 3, 4, 8, 9, 5000].map(crashes => restartDelay(crashes, delays)),
    [0, 500, 1000, 2000, 30_000, 30_000, 30_000],
  )
})

t.test('Retry-After is in whole seconds, 1..60', async t => {
  t.same([0, 1, 1000, 1001, 10_000_000].map(retryAfterSeconds), [1, 1, 1, 2, 60])
})
