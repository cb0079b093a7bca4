/** What a run of the bench could have measured. */
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
