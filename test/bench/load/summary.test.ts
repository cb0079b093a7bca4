import t from 'tap'
import type { Outcome } from '../../../bench/load/generator.js'
import { summarise, throughput } from '../../../bench/load/summary.js'

t.test('the outcomes of one rate', async t => {
  const at = (due: number, done: number, status = 200): Outcome => ({ due, sent: due + 1, done, status })
  const outcomes = [at(0, 100), at(500, 700), at(600, 601, 429), at(900, 2000), at(950, 960, 504)]
  const { p50_ms, p99_ms, ...counts } = summarise(outcomes, 1)
  t.same(counts, {
    requests: 5,
    accepted: 3,
    throughput: 1.5,
    statuses: { 200: 3, 429: 1, 504: 1 },
    generator_late_p99_ms: 1,
  })
  t.same([p50_ms, p99_ms], [200, 1100], 'refused ones are no latencies')
  t.equal(throughput([at(0, 10), at(10, 20)], 1), 2, 'not faster than they were asked for')
  t.match(summarise([at(0, 1, 429)], 1), { accepted: 0, throughput: 0, p50_ms: null, p99_ms: null })
})
