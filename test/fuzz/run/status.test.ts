import t from 'tap'
import { findOf, reasonOf, runsOf, statusOf } from '../../../fuzz/run/status.js'

t.test("libFuzzer's lines", async t => {
  const rows = [
    ['#4096\tpulse  cov: 78 ft: 349 corp: 54/3188b lim: 180 exec/s: 3269 rss: 286Mb', [4096, 78, 54]],
    ['#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 135Mb', [2, 3, 1]],
    ['#42500\tDONE   cov: 78 ft: 349 corp: 54/65Kb lim: 180 exec/s: 3269 rss: 286Mb', [42500, 78, 54]],
    ['#427\tNEW    cov: 4 ft: 4 corp: 2/9b lim: 8 exec/s: 0 rss: 136Mb L: 8/8 MS: 5 CrossOver-', [427, 4, 2]],
  ] as const
  for (const [line, [executions, coverage, corpus]] of rows) t.same(statusOf(line), { executions, coverage, corpus })
  for (const line of ['', 'INFO: Seed: 1', '#x', 'Done 5 runs']) t.equal(statusOf(line), null)
  t.equal(runsOf('Done 42500 runs in 13 second(s)'), 42500)
  t.equal(runsOf('Done'), null)
  t.equal(
    findOf("artifact_prefix='x/'; Test unit written to fuzz/.cache/finds/base64/crash-33c1"),
    'fuzz/.cache/finds/base64/crash-33c1',
  )
  t.equal(findOf('crash'), null)
  t.equal(findOf('Test unit written to x/slow-unit-d448'), null, 'the run goes on')
  t.equal(
    reasonOf('==8184== Uncaught Exception: AssertionError: was taken for base64'),
    'AssertionError: was taken for base64',
  )
  t.equal(reasonOf('==81== ERROR: libFuzzer: timeout after 4 seconds'), 'timeout after 4 seconds')
  t.equal(reasonOf('    at Object.run'), null)
})
