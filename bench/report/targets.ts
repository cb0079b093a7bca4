/** The project's targets of speed and memory, each compared with what was measured. */
import type { ProxyResults } from '../proxy/results.js'
import type { LoadStep, Results, Row } from '../results.js'

export interface Target {
  what: string
  wanted: string
  /** null: not measured. */
  measured: string | null
  met: boolean | null
}

/** The rate of the load part at which overload is judged, in multiples of the capacity. */
const OVERLOAD = 5

export function targets(results: Results): Target[] {
  const byDefault = results.load.filter(({ settings }) => Object.keys(settings).length === 0)
  return [
    ...(results.device === 'cpu' ? latencyTargets(results) : gpuTargets(results)),
    decoderTarget(results),
    secondTarget(results, 512, 5),
    secondTarget(results, 2048, 20),
    agreementTarget(results),
    ...loadTargets(byDefault),
    memoryTarget(results),
    throughputTarget(byDefault),
    textTarget(results),
    ...proxyTargets(results.proxy ?? null),
  ]
}

function latencyTargets({ rows, ours }: Results): Target[] {
  const wanted = [
    ['transformers', 'fp32', 5],
    ['transformers', 'bf16', 3],
    ['transformers.js', 'q8', 2.5],
  ] as const
  return wanted.map(([engine, precision, times]) => {
    const row = find(rows, engine, precision, 512)
    return atLeast(
      `box at 512, full size, CPU, ours ${ours} against ${engine} ${precision}`,
      times,
      row?.ours_is_faster_by,
    )
  })
}

function gpuTargets({ rows, ours }: Results): Target[] {
  const own = find(rows, 'cropvlm', ours, 2048)?.peak_gpu_mb
  return ['fp16', 'bf16'].flatMap(precision => {
    const row = find(rows, 'transformers', precision, 2048)
    const share = own && row?.peak_gpu_mb ? own / row.peak_gpu_mb : null
    const memory: Target = {
      what: `GPU memory at 2048, ours ${ours} against transformers ${precision}`,
      wanted: 'at most half',
      measured: share === null ? null : `${(100 * share).toFixed(0)} %`,
      met: share === null ? null : share <= 0.5,
    }
    const speed = `box at 2048, full size, GPU, ours ${ours} against transformers ${precision}`
    return [atLeast(speed, 8, row?.ours_is_faster_by), memory]
  })
}

function decoderTarget({ decoder_runs: runs }: Results): Target {
  return {
    what: 'decoder runs after the prefill',
    wanted: 'at most 7',
    measured: runs === null ? null : `at most ${runs.at_most}, ${runs.mean} on average of ${runs.boxes} boxes`,
    met: runs === null ? null : runs.at_most <= 7,
  }
}

function secondTarget({ second_question }: Results, resolution: number, times: number): Target {
  const row = second_question.find(one => one.resolution === resolution)
  return atLeast(`second question on the same image at ${resolution}, against the first`, times, row?.faster_by)
}

function agreementTarget({ agreement }: Results): Target {
  const what = `${agreement?.precision ?? 'int8'} against ${agreement?.reference ?? 'fp32'} boxes, bundled cropper`
  const wanted = 'mean IoU 0.98, accuracy within 1 point'
  if (agreement === null) return { what, wanted, measured: null, met: null }
  const { mean_iou, pages, accuracy } = agreement
  const points = 100 * (accuracy.precision - accuracy.reference)
  return {
    what,
    wanted,
    measured: `mean IoU ${mean_iou.toFixed(3)}, ${signed(points)} points, ${pages} pages`,
    // differences of binary fractions: a page of 500 is 0.2 points, so half of a tenth does not decide
    met: mean_iou >= 0.98 && Math.abs(points) <= 1 + 1e-9,
  }
}

function loadTargets(load: readonly LoadStep[]): Target[] {
  const steps = load.filter(({ times_capacity }) => times_capacity >= OVERLOAD)
  const worst = Math.max(...steps.map(({ loop_delay_p99_ms }) => loop_delay_p99_ms))
  const others = steps.map(({ requests, accepted, statuses }) => requests - accepted - (statuses['429'] ?? 0))
  const broken = others.reduce((sum, count) => sum + count, 0)
  const accepted = steps.reduce((sum, step) => sum + step.accepted, 0)
  const measured = steps.length > 0
  return [
    {
      what: `event-loop delay of the HTTP process at ${OVERLOAD}x overload, p99`,
      wanted: 'under 10 ms',
      measured: measured ? `${worst.toFixed(1)} ms` : null,
      met: measured ? worst < 10 : null,
    },
    {
      what: `${OVERLOAD}x overload: accepted requests within their deadline, the rest 429`,
      wanted: 'no other status',
      measured: measured ? `${accepted} accepted, ${broken} with another status` : null,
      met: measured ? broken === 0 && accepted > 0 : null,
    },
  ]
}

function memoryTarget({ processes: rows }: Results): Target {
  const [one, two] = [1, 2].map(count => rows.find(({ processes }) => processes === count)?.pss_sum_mb)
  const cost = one === undefined || two === undefined ? null : two - one
  return {
    what: 'memory of a further engine process, full size (what the sum of all shares grows by)',
    wanted: 'at most 150 MB',
    measured: cost === null ? null : `${cost} MiB`,
    met: cost === null ? null : cost * 1.048576 <= 150,
  }
}

function throughputTarget(load: readonly LoadStep[]): Target {
  const best = Math.max(...load.map(({ throughput }) => throughput))
  return {
    what: 'bundled models, boxes a second sustained',
    wanted: 'at least 30',
    measured: load.length === 0 ? null : `${best.toFixed(1)}`,
    met: load.length === 0 ? null : best >= 30,
  }
}

function find(rows: readonly Row[], engine: string, precision: string, resolution: number): Row | undefined {
  return rows.find(
    row =>
      row.model === 'full-size' &&
      row.engine === engine &&
      row.precision === precision &&
      row.resolution === resolution,
  )
}

function atLeast(what: string, times: number, ratio: number | null | undefined): Target {
  const known = ratio ?? null
  return {
    what,
    wanted: `${times} times faster`,
    measured: known === null ? null : `${known.toFixed(1)} times`,
    met: known === null ? null : known >= times,
  }
}

function signed(points: number): string {
  return `${points < 0 ? '-' : '+'}${Math.abs(points).toFixed(1)}`
}

function textTarget({ text }: Results): Target {
  return {
    what: 'text cropper, a receipt, CPU: nine of ten',
    wanted: 'at most 1 s',
    measured: text ? `${(text.p90_ms / 1000).toFixed(2)} s` : null,
    met: text ? text.p90_ms <= 1000 : null,
  }
}

/** Of a stream's memory: what is no growth, as a share. */
const FLAT = 0.1

function proxyTargets(proxy: ProxyResults | null): Target[] {
  const [ours, nginx] = (['cropvlm', 'nginx'] as const).map(name => proxy?.ways.find(({ way }) => way === name))
  const [p99, p50, other] = [ours?.added_p99_ms ?? null, ours?.added_p50_ms ?? null, nginx?.added_p50_ms ?? null]
  const times = p50 === null || other === null || other <= 0 ? null : p50 / other
  const [streams, direct] = (['cropvlm', 'direct'] as const).map(name => proxy?.streams.find(({ way }) => way === name))
  const { rss_begin_mb: begin = null, rss_end_mb: end = null } = streams ?? {}
  const growth = begin === null || end === null ? null : end / begin - 1
  const late = streams && direct ? streams.event_p50_ms - direct.event_p50_ms : null
  return [
    {
      what: 'proxy, no image: what it adds, p99',
      wanted: 'at most 3 ms',
      measured: p99 === null ? null : `${p99.toFixed(2)} ms`,
      met: p99 === null ? null : p99 <= 3,
    },
    {
      what: 'proxy, no image: what it adds against nginx, p50',
      wanted: 'at most 1.5 times',
      measured: times === null ? null : `${times.toFixed(1)} times`,
      met: times === null ? null : times <= 1.5,
    },
    {
      what: `proxy, ${streams?.clients ?? 200} streams: growth of its memory from begin to end`,
      wanted: 'at most 10 %',
      measured: growth === null ? null : `${(100 * growth).toFixed(0)} %`,
      met: growth === null ? null : growth <= FLAT,
    },
    {
      what: `proxy, ${streams?.clients ?? 200} streams: an event later than direct, p50`,
      wanted: 'at most 3 ms',
      measured: late === null ? null : `${late.toFixed(2)} ms`,
      met: late === null ? null : late <= 3,
    },
  ]
}
