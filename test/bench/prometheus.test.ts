import t from 'tap'
import { loopDelay } from '../../bench/load/summary.js'
import { largestBucket, parseMetrics, total } from '../../bench/prometheus.js'

const METRICS = `# HELP cropvlm_decoder_runs Runs.
# TYPE cropvlm_decoder_runs histogram
cropvlm_decoder_runs_bucket{le="4"} 0
cropvlm_decoder_runs_bucket{le="8"} 3
cropvlm_decoder_runs_bucket{le="16"} 3
cropvlm_decoder_runs_bucket{le="+Inf"} 3
cropvlm_decoder_runs_sum 22
cropvlm_decoder_runs_count 3
cropvlm_requests_total{route="/crop",status="200"} 5
cropvlm_requests_total{route="/crop",status="429"} 2
cropvlm_requests_total{route="/answer",status="200"} 1
nodejs_eventloop_lag_p99_seconds 0.012320767
odd{text="a \\"quoted\\", comma\\nand line"} -1.5e-3 1700000000000
`

t.test("Prometheus' text", async t => {
  const samples = parseMetrics(METRICS)
  t.equal(samples.length, 11)
  t.equal(total(samples, 'cropvlm_requests_total'), 8)
  t.equal(total(samples, 'cropvlm_requests_total', { route: '/crop' }), 7)
  t.equal(total(samples, 'cropvlm_requests_total', { route: '/crop', status: '429' }), 2)
  t.equal(total(samples, 'nothing'), null)
  t.same(samples.at(-1), { name: 'odd', labels: { text: 'a "quoted", comma\nand line' }, value: -0.0015 })
  t.equal(largestBucket(samples, 'cropvlm_decoder_runs'), 8)
  t.equal(largestBucket(parseMetrics(METRICS.replaceAll(' 3\n', ' 0\n')), 'cropvlm_decoder_runs'), null)
  t.same(loopDelay(samples), { loop_lag_p99_raw_ms: 12.32, loop_delay_p99_ms: 2.32 })
  t.throws(() => parseMetrics('<html>'), SyntaxError)
})
