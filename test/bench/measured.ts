/** What a run of the bench could have measured. */
import type { ProxyResults } from '../../bench/proxy/results.js'
import { emptyResults, type LoadStep, type Results, type Row } from '../../bench/results.js'

export const MACHINE = {
  cpu: 'EPYC',
  cores: 2,
  memory_gb: 24,
  system: 'linux',
  node: 'v20',
  gpu: null,
  load_before: 0.1,
}

export const ABOUT = { machine: MACHINE, revision: 'abc1234', ours: 'int8', device: 'cpu' }

export function row(more: Partial<Row>): Row {
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

export function peer(engine: Row['engine'], precision: string, times: number): Row {
  return row({ engine, precision, total_ms: 800 * times, ours_is_faster_by: times, faster_by: { int8: times } })
}

export function loadStep(more: Partial<LoadStep>): LoadStep {
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

export function proxyResults(more: Partial<ProxyResults>): ProxyResults {
  const way = (name: 'direct' | 'nginx' | 'cropvlm', p50: number, added: number | null) => ({
    way: name,
    p50_ms: p50,
    p99_ms: 5,
    added_p50_ms: added,
    added_p99_ms: added === null ? null : 7 * added,
    requests_per_s: 900,
    cpu_us: added === null ? null : 1000 * added,
  })
  const stream = (name: 'direct' | 'cropvlm', ms: number, end: number | null) => ({
    way: name,
    clients: 200,
    events: 80,
    broken: 0,
    first_p50_ms: 2 * ms,
    first_p99_ms: 9,
    event_p50_ms: ms,
    event_p99_ms: 8,
    rss_begin_mb: end === null ? null : 150,
    rss_end_mb: end,
  })
  return {
    nginx: '1.22.1',
    rounds: 5,
    requests: 400,
    callers: 16,
    load_before: 0.3,
    ways: [way('cropvlm', 0.5, 0.3), way('direct', 0.2, null), way('nginx', 0.3, 0.1)],
    image: {
      images: 30,
      zoomed: 29,
      body_kb: 22,
      direct_ms: 0.3,
      nginx_ms: 0.4,
      first_ms: 107.3,
      zoom_ms: 102,
      beyond_ms: 1.68,
      again_ms: 2,
      again_zoom_ms: 0.2,
      again_added_ms: 1.7,
    },
    streams: [stream('direct', 0.6, null), stream('cropvlm', 2, 168)],
    ...more,
  }
}

export function measured(): Results {
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
    text: {
      pages: 40,
      total_ms: 840,
      p90_ms: 1300,
      second_ms: 3.2,
      stages: { decode: 20, preprocess: 40, detect: 160, recognize: 600 },
      http_rss_mb: 120,
      engine_rss_mb: 420,
    },
    proxy: proxyResults({}),
    processes: [
      {
        precision: 'int8',
        processes: 1,
        engines: [share],
        pss_sum_mb: 700,
        alone_ms: 600,
        boxes_per_s: 1.5,
        callers: 4,
      },
      {
        precision: 'int8',
        processes: 2,
        engines: [share, share],
        pss_sum_mb: 840,
        alone_ms: 900,
        boxes_per_s: 1.7,
        callers: 4,
      },
    ],
  }
}
