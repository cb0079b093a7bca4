import t from 'tap'
import { compareReports } from '../../../bench/parts/agreement.js'

t.test('boxes of two precisions', async t => {
  const page = (id: string, bbox: [number, number, number, number]) => ({ id, bbox })
  const reference = {
    overall: { with_crop: { exact: 0.5 } },
    pages: [page('a', [0, 0, 10, 10]), page('b', [5, 5, 9, 9])],
  }
  const other = { overall: { with_crop: { exact: 0.48 } }, pages: [page('a', [0, 0, 10, 5]), page('b', [5, 5, 9, 9])] }
  t.same(compareReports(reference, other), {
    pages: 2,
    mean_iou: 0.75,
    equal: 0.5,
    accuracy: { reference: 0.5, precision: 0.48 },
  })
  const failed = { ...other, pages: [{ id: 'a', error: '503' }, page('b', [5, 5, 9, 9])] }
  t.throws(() => compareReports(reference, failed), /page a has no box/)
})
