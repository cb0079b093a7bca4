/** `results.json`: what was measured, one object for all parts. Times in milliseconds, memory in MiB, shares 0..1. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EngineName } from './engines/engine.js'
import type { Part } from './options.js'
import type { ProxyResults } from './proxy/results.js'
import type { Machine } from './system/machine.js'
import type { Shares } from './system/proc.js'

/** One engine at one resolution. */
export interface Row {
  model: 'full-size' | 'mini'
  /** Longest edge, in pixels. */
  resolution: number
  tiles: number
  engine: EngineName
  precision: string
  device: string
  rounds: number
  /** Generated in the median round, the end included. */
  tokens: number
  /** Median over the rounds, from the file to the box. */
  total_ms: number
  total_ms_range: [min: number, max: number]
  /** Medians; what is between the stages (HTTP, the queue) is in the total alone. */
  stages: Record<string, number>
  /** Of all its processes since their start, smaller resolutions included (`VmHWM`). */
  peak_rss_mb: number | null
  /** As `nvidia-smi` shows it; null on a CPU. */
  peak_gpu_mb: number | null
  /** Cores it used while nobody asked it. */
  idle_cores: number | null
  /** Median of the rounds' ratios to ours in the precision that is `ours`; null in our own rows. */
  ours_is_faster_by: number | null
  /** The same against each of our precisions. */
  faster_by: Record<string, number> | null
}

export interface SecondQuestion {
  resolution: number
  precision: string
  rounds: number
  first_ms: number
  second_ms: number
  /** Median of the rounds' ratios. */
  faster_by: number
  /** Questions for which the service found its image known, of all that were second ones. */
  reused: number
  first_stages: Record<string, number>
  second_stages: Record<string, number>
}

/** Of the bundled cropper: boxes of two precisions on the same pages, and answers from their crops. */
export interface Agreement {
  pages: number
  reference: string
  precision: string
  mean_iou: number
  equal: number
  /** Exact match, with the crop. */
  accuracy: { reference: number; precision: number }
}

/** What became of the requests of one rate. */
export interface LoadSummary {
  requests: number
  /** Answered with a box. */
  accepted: number
  /** Boxes a second over the time in which requests were sent, and on until the last box. */
  throughput: number
  statuses: Record<string, number>
  /** Of accepted requests, from the moment at which they were to leave. */
  p50_ms: number | null
  p99_ms: number | null
  /** How late the generator sent, 99th percentile. */
  generator_late_p99_ms: number
}

/** One rate of the open loop. */
export interface LoadStep extends LoadSummary {
  /** The service's settings beside its defaults. */
  settings: Record<string, string>
  /** Of the settings: boxes a second of a closed loop of 8 callers. */
  capacity: number
  /** Requests a second that were sent. */
  rate: number
  times_capacity: number
  seconds: number
  /** `nodejs_eventloop_lag_p99_seconds` over this rate alone, and that less the sampling interval it includes. */
  loop_lag_p99_raw_ms: number
  loop_delay_p99_ms: number
  /** The same of the same service before, with no requests: what the machine alone does. */
  idle_loop_delay_p99_ms: number
  http_rss_mb: number | null
  engine_rss_mb: number[]
}

export interface ProcessesRow {
  precision: string
  processes: number
  engines: Shares[]
  pss_sum_mb: number
  /** One box of an idle service; null where none was given. */
  alone_ms: number | null
  /** Of a closed loop of so many callers. */
  boxes_per_s: number
  callers: number
}

/** The text cropper on pages of text, each asked about twice. */
export interface TextRow {
  pages: number
  /** Medians of the first question about each page. */
  total_ms: number
  stages: Record<string, number>
  /** The time that nine of ten pages keep to. */
  p90_ms: number
  /** Median of the second question about each. */
  second_ms: number
  /** Resident sets at their largest. */
  http_rss_mb: number | null
  engine_rss_mb: number | null
}

/** Runs of the decoder after the prefill, as the service counts them over the latency part. */
export interface DecoderRuns {
  boxes: number
  mean: number
  /** Upper bound of the histogram's last bucket that holds something, in any precision. */
  at_most: number
}

export interface Measured {
  date: string
  revision: string | null
  seconds: number
}

/** 2: `processes` instead of `memory`. */
const FORMAT = 2

export interface Results {
  format: typeof FORMAT
  date: string
  machine: Machine
  revision: string | null
  /** The precision of ours that ratios are of. */
  ours: string
  device: string
  parts: Partial<Record<Part, Measured>>
  versions: Record<string, string>
  /** What was not measured, and why. */
  skipped: string[]
  rows: Row[]
  decoder_runs: DecoderRuns | null
  second_question: SecondQuestion[]
  agreement: Agreement | null
  load: LoadStep[]
  processes: ProcessesRow[]
  text: TextRow | null
  proxy: ProxyResults | null
}

export function emptyResults(about: Pick<Results, 'machine' | 'revision' | 'ours' | 'device'>): Results {
  return {
    format: FORMAT,
    date: new Date().toISOString(),
    ...about,
    parts: {},
    versions: {},
    skipped: [],
    rows: [],
    decoder_runs: null,
    second_question: [],
    agreement: null,
    load: [],
    processes: [],
    text: null,
    proxy: null,
  }
}

/** The results in a folder, or null if it has none of this format. */
export async function readResults(folder: string): Promise<Results | null> {
  const text = await readFile(join(folder, 'results.json'), 'utf8').catch(() => null)
  const results = text === null ? null : (JSON.parse(text) as Results)
  return results?.format === FORMAT ? results : null
}

/** The results of an earlier run in the folder if it was on the same machine and device, else `fresh`. */
export async function earlierOr(fresh: Results, folder: string): Promise<Results> {
  const earlier = await readResults(folder)
  if (earlier === null) return fresh
  const keys = ['cpu', 'cores', 'memory_gb', 'gpu'] as const
  const same = keys.every(key => earlier.machine[key] === fresh.machine[key])
  if (!same || earlier.device !== fresh.device || earlier.ours !== fresh.ours) return fresh
  const { date, machine, revision } = fresh
  return { ...fresh, ...earlier, date, machine, revision }
}

export async function writeResults(results: Results, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'results.json'), `${JSON.stringify(results, null, 1)}\n`)
}
