import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compareReports, describeComparison, readReport } from '../../../src/cli/eval/comparison.js'

const page = (id: string, changes: Record<string, unknown> = {}) => ({
  id,
  bbox: [1, 2, 3, 4],
  decision: 'zoomed',
  answer: 'yes',
  answer_without_crop: 'no',
  latency_ms: Math.random(),
  ...changes,
})

t.test('boxes and answers by page, whatever the order and the times', async t => {
  const before = { pages: ['a', 'b', 'c', 'd', 'gone'].map(id => page(id)) }
  const now = {
    pages: [
      page('new'),
      page('d', { answer_without_crop: 'maybe' }),
      page('c', { bbox: [1, 2, 3, 5] }),
      { id: 'b', status: 500, error: 'it failed' },
      page('a'),
    ],
  }
  const comparison = compareReports(before, now)
  t.same(comparison, { pages: 4, boxes: ['c', 'b'], answers: ['d', 'b'] })
  t.equal(
    describeComparison(comparison, 'before.json'),
    'Of 4 pages that before.json has too, 2 have another box (c, b) and 2 another answer (d, b).\n',
  )
  t.same(compareReports(before, before), { pages: 5, boxes: [], answers: [] })
  const many = { pages: 9, boxes: ['1', '2', '3', '4', '5', '6'], answers: [] }
  t.match(describeComparison(many, 'f'), /6 have another box \(1, 2, 3, 4, 5, \.\.\.\) and 0 another answer\./)
})

t.test('a report that cannot be used', async t => {
  const dir = t.testdir({ 'broken.json': '{', 'other.json': '{"format": 1}' })
  for (const file of ['absent.json', 'broken.json', 'other.json'])
    await t.rejects(readReport(join(dir, file)), { name: 'CliError', exitCode: 2, message: /--out/ }, file)
  writeFileSync(join(dir, 'good.json'), JSON.stringify({ pages: [page('a')], format: 1 }))
  t.equal((await readReport(join(dir, 'good.json'))).pages.length, 1)
})
