import t from 'tap'
import { Tally } from '../../../../bench/soak/measure/tally.js'

t.test('requests by kind', async t => {
  const tally = new Tally()
  for (let i = 1; i <= 100; i++) tally.add('crop', i % 10 === 0 ? '429' : '200', i)
  tally.add('answer', '502', 7)
  t.equal(tally.requests, 101)
  const [answer, crop] = tally.rows()
  t.same(answer, { kind: 'answer', requests: 1, statuses: { 502: 1 }, p50: 7, p99: 7 })
  t.match(crop, { kind: 'crop', requests: 100, statuses: { 200: 90, 429: 10 } })
  t.ok(crop && Math.abs(crop.p50 - 50) <= 1 && crop.p99 >= 98)
})

t.test('a long run keeps a part of the times, spread over all', async t => {
  const tally = new Tally()
  const count = 50_000
  for (let i = 0; i < count; i++) tally.add('crop', '200', i)
  const [row] = tally.rows()
  t.equal(row?.requests, count)
  t.ok(row && Math.abs(row.p50 / count - 0.5) < 0.02, `${row?.p50}`)
})
