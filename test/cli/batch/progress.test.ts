import { PassThrough } from 'node:stream'
import t from 'tap'
import { duration, showProgress } from '../../../src/cli/batch/progress.js'

t.test('lines now and then, where there is no terminal', async t => {
  const lines: string[] = []
  let now = 0
  const progress = showProgress({ write: text => lines.push(String(text)) }, () => now)
  // the first row of this run comes at 40 % of the input: the rest was done before
  for (const [ms, share, failed] of [
    [1000, 0.4, false],
    [9000, 0.5, true],
    [10_000, 0.6, false],
    [10_500, 0.65, false],
    [20_000, 0.8, false],
  ] as const) {
    now = ms
    progress.at(share, failed)
  }
  progress.note('a note')
  progress.end()
  t.same(lines, ['60 %, 3 rows, 0.3/s, 1 error, 20 s left\n', '80 %, 5 rows, 0.3/s, 1 error, 10 s left\n', 'a note\n'])
})

t.test('of an input without a size, no share', async t => {
  const lines: string[] = []
  let now = 0
  const progress = showProgress({ write: text => lines.push(String(text)) }, () => now)
  now = 10_000
  progress.at(null, false)
  t.same(lines, ['1 row, 0.1/s, 0 errors\n'])
})

t.test('a bar on a terminal', async t => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 120 })
  const progress = showProgress(stream)
  progress.at(0.1, false)
  progress.at(0.5, true)
  progress.end()
  const text = String(stream.read())
  t.match(text, /50 % \| 2 rows, .* 1 error/)
  t.match(text, '=====-----')
})

t.test('durations', async t => {
  t.same([0.4, 59.6, 61, 3600, 7384].map(duration), ['0 s', '1 min 0 s', '1 min 1 s', '1 h 0 min', '2 h 3 min'])
})
