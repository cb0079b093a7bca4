import t from 'tap'
import { targets } from '../../../bench/report/targets.js'
import { emptyResults, type Results } from '../../../bench/results.js'
import { ABOUT, loadStep, measured, peer, proxyResults, row } from '../measured.js'

t.test('targets', async t => {
  const judged = (results: Results) => Object.fromEntries(targets(results).map(({ what, met }) => [what, met]))
  const found = targets(measured())
  t.same(
    found.map(({ measured: value, met }) => [value, met]),
    [
      ['5.2 times', true],
      ['2.9 times', false],
      ['2.6 times', true],
      ['at most 7, 6.9 on average of 30 boxes', true],
      [null, null],
      [null, null],
      ['mean IoU 0.985, -1.0 points, 500 pages', true],
      ['4.0 ms', true],
      ['400 accepted, 0 with another status', true],
      ['140 MiB', true],
      ['39.0', true],
      ['1.30 s', false],
      ['2.10 ms', true],
      ['3.0 times', false],
      ['12 %', false],
      ['1.40 ms', true],
    ],
  )
  const settings = { ENGINE_PROCESSES: '2' }
  const two = { settings, throughput: 90, loop_delay_p99_ms: 30, statuses: { 200: 400, 504: 1200 } }
  const more = { ...measured(), load: [...measured().load, loadStep(two)] }
  t.same(targets(more), found, 'of the default settings alone')
  const late = { ...measured(), load: [loadStep({ statuses: { 200: 400, 429: 1190, 504: 10 } })] }
  t.equal(judged(late)['5x overload: accepted requests within their deadline, the rest 429'], false)
  t.ok(targets(emptyResults(ABOUT)).every(({ met, measured: value }) => met === null && value === null))
  const noNginx = { ...measured(), proxy: proxyResults({ nginx: null, ways: proxyResults({}).ways.slice(0, 1) }) }
  t.equal(judged(noNginx)['proxy, no image: what it adds against nginx, p50'], null, 'not judged without nginx')
  const gpu: Results = {
    ...emptyResults({ ...ABOUT, device: 'cuda', ours: 'fp16' }),
    rows: [
      row({ resolution: 2048, precision: 'fp16', peak_gpu_mb: 900 }),
      { ...peer('transformers', 'fp16', 8.1), resolution: 2048, peak_gpu_mb: 1700 },
    ],
  }
  t.same(
    targets(gpu)
      .slice(0, 4)
      .map(({ measured: value, met }) => [value, met]),
    [
      ['8.1 times', true],
      ['53 %', false],
      [null, null],
      [null, null],
    ],
  )
})
