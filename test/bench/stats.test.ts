import t from 'tap'
import { median, medians, pairedRatio } from '../../bench/stats.js'

t.test('medians and ratios', async t => {
  t.equal(median([5, 1, 3]), 3)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.ok(Number.isNaN(median([])))
  t.same(medians([{ vision: 1, prefill: 10 }, { vision: 3 }]), { vision: 2, prefill: 10 })
  // the second round ran on a busy machine: the ratio of the medians would say 2.5
  t.equal(pairedRatio([20, 90, 30], [10, 45, 10]), 2)
  t.throws(() => pairedRatio([1, 2], [1]), RangeError)
  t.throws(() => pairedRatio([], []), RangeError)
})
