import t from 'tap'
import { seeded } from '../../../../bench/random.js'
import { fitLine, hoursFor, type Point } from '../../../../bench/soak/measure/fit.js'

const HOUR = Array.from({ length: 720 }, (_, i) => i / 720)
const along = (values: (hours: number, i: number) => number): Point[] =>
  HOUR.map((hours, i) => ({ hours, value: values(hours, i) }))

/** Near enough to a normal distribution of variance 1. */
function normal(random: () => number): number {
  return Math.sqrt(12 / 8) * (Array.from({ length: 8 }, random).reduce((sum, value) => sum + value, 0) - 4)
}

t.test('an exact line', async t => {
  const { slope, error, hours } = fitLine(along(x => 300 + 5 * x))
  t.ok(Math.abs(slope - 5) < 1e-9)
  t.ok(error < 1e-9)
  t.equal(hours, 719 / 720)
})

t.test('peaks of a moment do not count', async t => {
  const { slope } = fitLine(along((x, i) => 300 + 2 * x + (i % 10 === 0 && x > 0.5 ? 400 : 0)))
  t.ok(Math.abs(slope - 2) < 0.1, `${slope}`)
})

t.test('the error covers the truth, also where noise lasts from one sample to the next', async t => {
  const random = seeded(7)
  let within = 0
  const runs = 200
  for (let run = 0; run < runs; run++) {
    let noise = 0
    const line = fitLine(
      along(x => {
        noise = 0.95 * noise + normal(random)
        return 400 + 3 * x + noise
      }),
    )
    if (Math.abs(line.slope - 3) < 2 * line.error) within += 1
  }
  t.ok(within >= 0.88 * runs, `${within} of ${runs} within two standard errors`)
})

t.test('too few samples tell nothing', async t => {
  for (const few of [[], [{ hours: 0, value: 1 }], along(() => 1).slice(0, 5)]) {
    const line = fitLine(few)
    t.same([line.slope, line.error], [Number.NaN, Number.POSITIVE_INFINITY])
    t.equal(hoursFor(line, 1), null)
  }
})

t.test('how long is needed', async t => {
  t.equal(Math.round(hoursFor({ slope: 0, error: 8, hours: 1 }, 1) ?? 0), 4)
  t.equal(hoursFor({ slope: 0, error: 0.5, hours: 1 }, 1), 1)
})
