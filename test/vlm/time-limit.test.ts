import t from 'tap'
import { TimeLimitError, withinTime } from '../../src/vlm/time-limit.js'

/** Takes no processor time. */
const wait = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

t.test('what is done in time is returned, and what it throws is thrown', async t => {
  t.equal(
    withinTime(1000, () => 7),
    7,
  )
  t.throws(
    () =>
      withinTime(1000, () => {
        throw new RangeError('its own')
      }),
    RangeError,
  )
})

t.test('what works for longer is ended, in the middle of a pattern too', async t => {
  let calls = 0
  const endless = () => {
    calls += 1
    return /(z+)+#/.test('z'.repeat(1900))
  }
  t.throws(() => withinTime(100, endless), TimeLimitError)
  t.ok(calls <= 4)
})

t.test('what a busy machine kept from its core is called again', async t => {
  let calls = 0
  const held = () => {
    calls += 1
    if (calls < 3) wait(600)
    return 'done'
  }
  t.equal(withinTime(100, held), 'done')
  t.equal(calls, 3)
})

t.test('but not for ever', async t => {
  t.throws(() => withinTime(20, () => wait(2000)), TimeLimitError)
})
