import { mkdtempSync } from 'node:fs'
import sharp from 'sharp'
import t from 'tap'
import { readApps } from '../bench/gpu-memory.js'
import { LineChild } from '../bench/line-child.js'
import type { Outcome } from '../bench/load/generator.js'
import { multipart } from '../bench/load/multipart.js'
import { schedule } from '../bench/load/schedule.js'
import { loopDelay, summarise, throughput } from '../bench/load/summary.js'
import { HELP, readOptions } from '../bench/options.js'
import { compareReports } from '../bench/parts/agreement.js'
import { commented, makePicture } from '../bench/picture.js'
import { children, cpuSeconds, memoryShares, peakRssMb } from '../bench/proc.js'
import { largestBucket, parseMetrics, total } from '../bench/prometheus.js'
import { seeded } from '../bench/random.js'
import { render } from '../bench/report/render.js'
import { earlierOr, emptyResults, type LoadStep, type Results, type Row, writeResults } from '../bench/results.js'
import { median, medians, pairedRatio } from '../bench/stats.js'
import { targets } from '../bench/targets.js'
import { CliError } from '../src/cli/cli-error.js'

t.test('medians and ratios', async t => {
  t.equal(median([5, 1, 3]), 3)
  t.equal(median([4, 1, 3, 2]), 2.5)
  t.ok(Number.isNaN(median([])))
  t.same(medians([{ vision: 1, prefill: 10 }, { vision: 3 }]), { vision: 2, prefill: 10 })
  // the second round ran on a busy machine: the ratio of the medians would say 2.5
  t.equal(pairedRatio([20, 90, 30], [10, 45, 10]), 2)
  t.throws(() => pairedRatio([1, 2], [1]), RangeError)
  t.throws(() => pairedRatio([], []), RangeError)
})

t.test('an open loop leaves at its times', async t => {
  t.same(schedule(4, 1, 'fixed', seeded(1)), [0, 250, 500, 750])
  const times = schedule(50, 200, 'poisson', seeded(7))
  t.same(times, schedule(50, 200, 'poisson', seeded(7)), 'the same seed, the same times')
  t.not(times[0], schedule(50, 200, 'poisson', seeded(8))[0])
  t.ok(Math.abs(times.length - 10_000) < 300, `${times.length} of 10000 expected, three standard deviations`)
  const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
  t.ok(Math.min(...gaps) > 0 && (times.at(-1) as number) < 200_000)
  const long = gaps.filter(gap => gap > 20).length / gaps.length
  t.ok(Math.abs(long - Math.exp(-1)) < 0.02, `${long} of the gaps are above the mean, 1/e of exponential ones`)
})

t.test('the outcomes of one rate', async t => {
  const at = (due: number, done: number, status = 200): Outcome => ({ due, sent: due + 1, done, status })
  const outcomes = [at(0, 100), at(500, 700), at(600, 601, 429), at(900, 2000), at(950, 960, 504)]
  const { p50_ms, p99_ms, ...counts } = summarise(outcomes, 1)
  t.same(counts, {
    requests: 5,
    accepted: 3,
    throughput: 1.5,
    statuses: { 200: 3, 429: 1, 504: 1 },
    generator_late_p99_ms: 1,
  })
  t.same([p50_ms, p99_ms], [200, 1100], 'refused ones are no latencies')
  t.equal(throughput([at(0, 10), at(10, 20)], 1), 2, 'not faster than they were asked for')
  t.match(summarise([at(0, 1, 429)], 1), { accepted: 0, throughput: 0, p50_ms: null, p99_ms: null })
})

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

t.test('pictures: the same for a seed, another file with a comment', async t => {
  const jpeg = await makePicture(3, 64, 48)
  t.ok(jpeg.equals(await makePicture(3, 64, 48)))
  t.notOk(jpeg.equals(await makePicture(4, 64, 48)))
  const other = commented(jpeg, '1/2')
  t.notOk(other.equals(jpeg))
  t.ok((await sharp(other).raw().toBuffer()).equals(await sharp(jpeg).raw().toBuffer()), 'the same pixels')
  t.throws(() => commented(noJpeg(), 'x'), TypeError)
  const form = new Response(new Uint8Array(multipart(other, 'What?')), {
    headers: { 'content-type': 'multipart/form-data; boundary=cropvlm-bench-boundary' },
  })
  const fields = await form.formData()
  t.equal(fields.get('question'), 'What?')
  t.ok(Buffer.from(await (fields.get('image') as File).arrayBuffer()).equals(other))
})

function noJpeg(): Buffer {
  return Buffer.from('no JPEG')
}

t.test('what Linux tells of processes', { skip: process.platform !== 'linux' && 'no /proc' }, async t => {
  const child = new LineChild(process.execPath, ['-e', 'process.stdin.on("data", line => process.stdout.write(line))'])
  child.say({ hello: 1 })
  t.same(await child.next(), { hello: 1 })
  t.ok(children(process.pid).includes(child.pid))
  const shares = memoryShares(child.pid)
  const peak = peakRssMb([child.pid]) ?? 0
  t.ok(shares && shares.private_mb <= shares.rss_mb && shares.pss_mb <= shares.rss_mb)
  t.ok(peak >= (shares?.rss_mb ?? Infinity) && peak < 1024, `${peak} MiB for an empty Node process`)
  t.ok((cpuSeconds([child.pid]) ?? 0) > 0)
  await child.close()
  t.equal(peakRssMb([child.pid]), null, 'a process that is gone has no peak')
  await t.rejects(child.next(), /ended/)
})

t.test("nvidia-smi's table of processes", async t => {
  t.same(readApps('1234, 2048\n77, 512\n[N/A], [N/A]\n'), [
    [1234, 2048],
    [77, 512],
  ])
})

t.test('options', async t => {
  t.equal(readOptions(['--help']), null)
  const options = readOptions(['--rounds', '2048=2,512=5', '--load-set', 'ENGINE_PROCESSES=2 THREADS=1'])
  t.match(options, {
    rounds: [
      [512, 5],
      [2048, 2],
    ],
    loadSets: [{ ENGINE_PROCESSES: '2', THREADS: '1' }],
    ours: 'int8',
    parts: ['latency', 'second', 'agreement', 'load', 'processes'],
  })
  t.match(readOptions(['--device', 'cuda']), { ours: 'fp16', peers: [{ precision: 'fp16' }, { precision: 'bf16' }] })
  t.match(readOptions(['--quick']), { models: ['mini'], parts: ['latency', 'load'] })
  t.same(readOptions(['--peers', 'none'])?.peers, [])
  for (const [args, message] of [
    [['--only', 'speed'], /--only has "speed"; known are latency/],
    [['--rounds', '512=0'], /--rounds has "0"/],
    [['--peers', 'transformers'], /ENGINE:PRECISION/],
    [['--ours', 'q8'], /--ours is q8, which --precisions has not/],
    [['--load-set', 'THREADS'], /NAME=VALUE/],
    [['--load-rates', '0'], /above 0/],
    [['--fast'], /--fast/],
  ] as const)
    t.throws(() => readOptions(args), message)
  t.throws(() => readOptions(['--fast']), CliError)
  for (const name of ['only', 'quick', 'rounds', 'peers', 'render', 'mini-checkpoint', 'load-set', 'out'])
    t.match(HELP, new RegExp(`^--${name}\\b`, 'm'))
})

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

const MACHINE = { cpu: 'EPYC', cores: 2, memory_gb: 24, system: 'linux', node: 'v20', gpu: null, load_before: 0.1 }
const ABOUT = { machine: MACHINE, revision: 'abc1234', ours: 'int8', device: 'cpu' }

function row(more: Partial<Row>): Row {
  return {
    model: 'full-size',
    resolution: 512,
    tiles: 1,
    engine: 'cropvlm',
    precision: 'int8',
    device: 'cpu',
    rounds: 7,
    tokens: 16,
    total_ms: 800,
    total_ms_range: [790, 900],
    stages: { decode: 10, preprocess: 5, vision: 600, prefill: 60, generate: 90 },
    peak_rss_mb: 500,
    peak_gpu_mb: null,
    idle_cores: 0,
    ours_is_faster_by: null,
    faster_by: null,
    ...more,
  }
}

function peer(engine: Row['engine'], precision: string, times: number): Row {
  return row({ engine, precision, total_ms: 800 * times, ours_is_faster_by: times, faster_by: { int8: times } })
}

function loadStep(more: Partial<LoadStep>): LoadStep {
  return {
    settings: {},
    capacity: 40,
    rate: 200,
    times_capacity: 5,
    seconds: 8,
    requests: 1600,
    accepted: 400,
    throughput: 39,
    statuses: { 200: 400, 429: 1200 },
    p50_ms: 1500,
    p99_ms: 1700,
    loop_lag_p99_raw_ms: 14,
    loop_delay_p99_ms: 4,
    idle_loop_delay_p99_ms: 0.5,
    generator_late_p99_ms: 2,
    http_rss_mb: 150,
    engine_rss_mb: [200],
    ...more,
  }
}

function measured(): Results {
  const share = { rss_mb: 700, pss_mb: 400, private_mb: 130 }
  return {
    ...emptyResults(ABOUT),
    rows: [
      row({}),
      peer('transformers', 'fp32', 5.2),
      peer('transformers', 'bf16', 2.9),
      peer('transformers.js', 'q8', 2.6),
    ],
    decoder_runs: { boxes: 30, mean: 6.9, at_most: 7 },
    agreement: {
      pages: 500,
      reference: 'fp32',
      precision: 'int8',
      mean_iou: 0.985,
      equal: 0.9,
      accuracy: { reference: 0.44, precision: 0.43 },
    },
    load: [loadStep({}), loadStep({ times_capacity: 1, rate: 40, loop_delay_p99_ms: 50 })],
    processes: [
      { precision: 'int8', processes: 1, engines: [share], pss_sum_mb: 700, alone_ms: 600, boxes_per_s: 1.5 },
      { precision: 'int8', processes: 2, engines: [share, share], pss_sum_mb: 840, alone_ms: 900, boxes_per_s: 1.7 },
    ],
  }
}

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
    ],
  )
  const late = { ...measured(), load: [loadStep({ statuses: { 200: 400, 429: 1190, 504: 10 } })] }
  t.equal(judged(late)['5x overload: accepted requests within their deadline, the rest 429'], false)
  t.ok(targets(emptyResults(ABOUT)).every(({ met, measured: value }) => met === null && value === null))
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

t.test('RESULTS.md', async t => {
  const text = render(measured(), '## Notes\n\nbf16 is missed because of X.\n')
  t.match(
    text,
    /\| box at 512, full size, CPU, ours int8 against transformers bf16 \| 3 times faster \| 2\.9 times \| \*\*missed\*\* \|/,
  )
  t.match(text, /## Notes\n\nbf16 is missed because of X\./)
  t.match(text, '| transformers fp32 | 4160 | 790-900 | 10.0 | 5.0 | 600 | 60.0 | 90.0 | 16 | 500 | 5.2x |')
  t.match(text, '| 200.0 | 5x | 39.0 | 1500 | 1700 | 25.0 | 75.0 | 0.0 | 0.0 | 4.0 | 2.0 | 150 | 200 |')
  t.match(text, '| 2, int8 | 900 | 1.70 | 840 | 700 / 400 / 130; 700 / 400 / 130 |')
  t.notMatch(text, '## A second question', 'what was not measured has no table')
  t.notMatch(text, /undefined|NaN|null/)
  const loud = {
    ...measured(),
    rows: [row({ idle_cores: 0.4 })],
    skipped: ['transformers fp32 on mini: no checkpoint'],
  }
  const other = render(loud, null)
  t.match(other, 'Not quiet while others were measured: cropvlm int8 (0.4 cores).')
  t.match(other, 'Not measured: transformers fp32 on mini: no checkpoint.')
})

t.test('parts that are left out keep what the same machine measured before', async t => {
  const folder = mkdtempSync(`${t.testdir()}/`)
  t.equal((await earlierOr(emptyResults(ABOUT), folder)).rows.length, 0)
  await writeResults(measured(), folder)
  const now = { ...emptyResults({ ...ABOUT, revision: 'fffffff' }) }
  t.match(await earlierOr(now, folder), { revision: 'fffffff', rows: measured().rows, load: measured().load })
  const elsewhere = emptyResults({ ...ABOUT, machine: { ...MACHINE, cores: 64 } })
  t.equal((await earlierOr(elsewhere, folder)).rows.length, 0, 'never mixed with another machine')
  t.equal((await earlierOr(emptyResults({ ...ABOUT, device: 'cuda' }), folder)).rows.length, 0)
})
