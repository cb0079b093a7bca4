import t from 'tap'
import type { Outcome } from '../../bench/load/generator.js'
import { schedule } from '../../bench/load/schedule.js'
import { summarise, throughput } from '../../bench/load/summary.js'
import { seeded } from '../../bench/random.js'

t.test('an open loop leaves at its times', async t => {
  t.same(schedule(4, 1, 'fixed', seeded(1)), [0, 250, 500, 750])
  const times = schedule(50, 200, 'poisson', seeded(7))
  t.same(times, schedule(50, 200, 'poisson', seeded(7)), 'the same seed, the same times')
  t.not(times[0], schedule(50, 200, 'poisson', seeded(8))[0])
  t.ok(Math.abs(times.length - 10_000) < 300, `${times.length} of 10000 expected, three standard deviations`)
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
  t.ok(Math.min(...gaps) > 0 && (times.at(-1) as number) < 200_000)
  const long = gaps.filter(gap => gap > 20).length / gaps.length
  t.ok(Math.abs(long - Math.exp(-1)) < 0.02, `${long} of the gaps are above the mean, 1/e of exponential ones`)
})

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
