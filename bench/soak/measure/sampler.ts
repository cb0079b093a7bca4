/** Samples of both processes, every few seconds, each a line of a CSV file as soon as it is taken. */
import { appendFileSync, writeFileSync } from 'node:fs'
import { parseMetrics, total } from '../../prometheus.js'
import type { BenchService } from '../../service.js'
import { descriptors, residentMb } from '../../system/proc.js'
import { AllocatorLog } from './allocator.js'

/** Numbers are null where a process was just being replaced, or did not answer. */
export interface Sample {
  hours: number
  stage: string
  /** Resident memory in MiB, open descriptors. */
  http_mb: number | null
  http_fds: number | null
  engine_pid: number | null
  engine_mb: number | null
  engine_fds: number | null
  /** V8's heap of each process, and what hangs on it outside, in MiB. */
  heap_mb: number | null
  external_mb: number | null
  engine_heap_mb: number | null
  engine_external_mb: number | null
  /** What the engine's jemalloc has given out and not yet got back, in MiB. */
  engine_small_mb: number | null
  engine_large_mb: number | null
  /** The longest that the HTTP process's event loop was late since the sample before, in ms, as `/metrics` tells. */
  loop_ms: number | null
  queue: number | null
  restarts: number | null
  requests: number
}

const COLUMNS: readonly (keyof Sample)[] = [
  'hours',
  'stage',
  'http_mb',
  'http_fds',
  'engine_pid',
  'engine_mb',
  'engine_fds',
  'heap_mb',
  'external_mb',
  'engine_heap_mb',
  'engine_external_mb',
  'engine_small_mb',
  'engine_large_mb',
  'loop_ms',
  'queue',
  'restarts',
  'requests',
]
/** The stage of samples of the part in which memory is measured. */
export const MEASURED = 'measured'
/** The stage of those of this part that were taken while nothing was asked: what requests take is not in them. */
export const AT_REST = 'at rest'
const MIB = 2 ** 20
const SCRAPE_MS = 5000

export class Sampler {
  readonly samples: Sample[] = []
  readonly #start = performance.now()
  /** Of scrapes by others, each of which resets the service's histogram. */
  #loopMs: number | null = null
  readonly #allocator: AllocatorLog

  /**
   * @param file Where the CSV goes; it is written anew.
   * @param log Where the service's log goes.
   */
  constructor(
    private readonly service: Pick<BenchService, 'url' | 'pid' | 'engines'>,
    private readonly file: string,
    log: string,
  ) {
    this.#allocator = new AllocatorLog(log)
    writeFileSync(file, `${COLUMNS.join()}\n`)
  }

  get hours(): number {
    return (performance.now() - this.#start) / 3_600_000
  }

  /** Takes note of the event loop's delay in a reply of `/metrics` that somebody else asked for. */
  heard(metrics: string): void {
    this.#loopMs = Math.max(this.#loopMs ?? 0, (total(parseMetrics(metrics), LOOP) ?? 0) * 1000)
  }

  async take(stage: string, requests: number): Promise<Sample> {
    const { pid, url } = this.service
    const [engine = null] = this.service.engines()
    if (engine !== this.samples.at(-1)?.engine_pid) this.#allocator.forget()
    const inUse = this.#allocator.read()
    const memory = { http_mb: residentMb(pid), http_fds: descriptors(pid) }
    const text = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(SCRAPE_MS) })
      .then(response => response.text())
      .catch(() => '')
    const metrics = parseMetrics(text)
    if (text !== '') this.heard(text)
    const mib = (name: string) => rounded(total(metrics, name), MIB)
    const sample: Sample = {
      hours: Number(this.hours.toFixed(6)),
      stage,
      ...memory,
      engine_pid: engine,
      engine_mb: engine && residentMb(engine),
      engine_fds: engine && descriptors(engine),
      heap_mb: mib('nodejs_heap_size_used_bytes'),
      external_mb: mib('nodejs_external_memory_bytes'),
      engine_heap_mb: mib('cropvlm_engine_heap_bytes'),
      engine_external_mb: mib('cropvlm_engine_external_bytes'),
      engine_small_mb: rounded(inUse.small, 1),
      engine_large_mb: rounded(inUse.large, 1),
      loop_ms: rounded(this.#loopMs, 1),
      queue: total(metrics, 'cropvlm_queue_size'),
      restarts: total(metrics, 'cropvlm_engine_restarts_total'),
      requests,
    }
    this.#loopMs = null
    this.samples.push(sample)
    appendFileSync(this.file, `${COLUMNS.map(name => sample[name] ?? '').join()}\n`)
    return sample
  }
}

const LOOP = 'nodejs_eventloop_lag_max_seconds'

function rounded(value: number | null, unit: number): number | null {
  return value === null ? null : Math.round((value / unit) * 100) / 100
}
