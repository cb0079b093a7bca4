import t from 'tap'
import { Disturbances } from '../../../bench/soak/disturbances.js'

t.test('what happened while a request was on its way', async t => {
  const disturbances = new Disturbances()
  const before = performance.now()
  t.same(disturbances.since(before), { killed: false, crowded: false })
  const over = disturbances.begin('killed')
  t.same(disturbances.since(performance.now()), { killed: true, crowded: false }, 'it lasts')
  over()
  const end = performance.now()
  t.same(disturbances.since(before), { killed: true, crowded: false }, 'it was while that request waited')
  disturbances.begin('crowded')
  t.same(disturbances.since(end + 1), { killed: false, crowded: true }, 'it was over before')
})
