import t from 'tap'
import { growth, growthText } from '../../../../bench/soak/measure/verdict.js'

const line = (slope: number, error: number, hours = 1) => ({ slope, error, hours })

t.test('growth', async t => {
  for (const [slope, error, found] of [
    [0.3, 0.2, 'flat'],
    [-4, 0.5, 'flat'],
    [0.9, 1, 'flat'],
    [1.2, 0.2, 'leak'],
    [1.8, 0.6, 'leak'],
    [100, 20, 'leak'],
    [1.2, 0.9, 'unclear'],
    [0.1, 5, 'unclear'],
    [8, 5, 'unclear'],
    [Number.NaN, Number.POSITIVE_INFINITY, 'unclear'],
  ] as const)
    t.equal(growth(line(slope, error)), found, `${slope} ± ${error}`)
})

t.test('in words', async t => {
  t.equal(growthText(line(0.3, 0.2, 0.75)), '0.30 ± 0.20 MiB/h over 45 min: flat')
  t.equal(growthText(line(3, 0.2, 3)), '3.00 ± 0.20 MiB/h over 3.0 h: leak')
  t.equal(
    growthText(line(2, 8, 1)),
    '2.00 ± 8.00 MiB/h over 60 min: not yet meaningful; ± 1 needs about 4.0 h like these',
  )
  t.match(growthText(line(1.5, 0.9, 1)), /not yet meaningful; ± 0.5 needs about 89 min/)
  t.equal(growthText(line(Number.NaN, Number.POSITIVE_INFINITY)), 'too few samples for a line')
})
