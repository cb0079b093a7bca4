import t from 'tap'
import { schedule } from '../../../bench/load/schedule.js'
import { seeded } from '../../../bench/random.js'

t.test('an open loop leaves at its times', async t => {
  // the number whose exponential gap is the mean one
  const mean = () => 1 - Math.exp(-1)
  t.same(schedule(4, 0.9, mean).map(Math.round), [250, 500, 750])
  const times = schedule(50, 200, seeded(7))
  t.same(times, schedule(50, 200, seeded(7)), 'the same seed, the same times')
  t.not(times[0], schedule(50, 200, seeded(8))[0])
  t.ok(Math.abs(times.length - 10_000) < 300, `${times.length} of 10000 expected, three standard deviations`)
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
  t.ok(Math.min(...gaps) > 0 && (times.at(-1) as number) < 200_000)
  const long = gaps.filter(gap => gap > 20).length / gaps.length
  t.ok(Math.abs(long - Math.exp(-1)) < 0.02, `${long} of the gaps are above the mean, 1/e of exponential ones`)
})
