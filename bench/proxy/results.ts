/** What the proxy part measures. Times in milliseconds, memory in MiB. */

/** The way a request takes to the upstream: without a proxy, or through one. `node` is a bare one of Node's own parts. */
export type Way = 'direct' | 'nginx' | 'node' | 'cropvlm'

/** Small requests without an image. */
export interface WayRow {
  way: Way
  /** Of one caller, who takes every way in turn; medians of the rounds. */
  p50_ms: number
  p99_ms: number
  /** What is above `direct` in the same round, medians of the rounds; null in its own row. */
  added_p50_ms: number | null
  added_p99_ms: number | null
  /** Of a closed loop of so many callers, the median of the rounds. */
  requests_per_s: number
  /** Processor time of the proxy for a request of that loop, in microseconds; null in `direct`'s row, and off Linux. */
  cpu_us: number | null
}

/** Requests with an image, each of them new to the service, and each once more. Medians. */
export interface ImageRow {
  images: number
  /** Requests that got a crop, of `images`. */
  zoomed: number
  body_kb: number
  direct_ms: number
  nginx_ms: number | null
  first_ms: number
  /** What the zoom of the first took, as `x-cropvlm-ms` tells. */
  zoom_ms: number
  /** What is left of the first without the zoom and without what `direct` takes. */
  beyond_ms: number
  /** The same image and question again. */
  again_ms: number
  again_zoom_ms: number
  /** Of these: what is above `direct`. */
  again_added_ms: number
}

/** Many event streams at once. */
export interface StreamRow {
  way: Way
  clients: number
  /** Of each stream. */
  events: number
  /** Streams that did not come whole. */
  broken: number
  /** From the moment at which the upstream sent an event until the client had it: of the first events, and of all. */
  first_p50_ms: number
  first_p99_ms: number
  event_p50_ms: number
  event_p99_ms: number
  /** Resident set of the HTTP process when all streams had begun, and when they ended; null of what is not ours. */
  rss_begin_mb: number | null
  rss_end_mb: number | null
}

export interface ProxyResults {
  /** null where it is not installed. */
  nginx: string | null
  rounds: number
  /** Requests of each way in a round. */
  requests: number
  callers: number
  /** Load average of the last minute when the part began: what else ran. */
  load_before: number
  ways: WayRow[]
  image: ImageRow
  streams: StreamRow[]
}
