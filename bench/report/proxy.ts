/** The tables of the proxy part. */
import type { ImageRow, ProxyResults, StreamRow, Way, WayRow } from '../proxy/results.js'
import { table, whole } from './table.js'

const NAMES: Readonly<Record<Way, string>> = {
  direct: 'direct',
  nginx: 'nginx',
  node: 'bare proxy in Node',
  cropvlm: 'cropvlm',
}

export function proxySections(proxy: ProxyResults | null): string[] {
  if (proxy === null) return []
  const { nginx, rounds, requests, callers, load_before, ways, image, streams } = proxy
  const other = nginx === null ? 'nginx was not installed' : `nginx ${nginx}, one worker`
  return [
    `## The proxy

${HOW} Load average before: ${load_before}; ${other}.

### Without an image: medians of ${rounds} rounds, each of ${requests} requests a way; requests/s with ${callers} callers

${waysTable(ways)}

### With an image: ${image.images} images, each new to the service, medians; ${image.zoomed} got a crop, bodies of ${image.body_kb} KiB

${imageTable(image)}

### ${streams[0]?.clients} streams at once, ${streams[0]?.events} events each

${streamsTable(streams)}
`,
  ]
}

const HOW = `Upstream, caller, bare proxy, nginx and the service are processes of one machine and share its cores. One caller asks
the upstream directly and through each proxy in turn, one request after the other, so that a machine that is busier for a
while is so for all; "added" is above direct, percentile against percentile of the same round. "CPU" is the
proxy's own processor time, which depends least on what else runs. The bare proxy has Node's
own server and client and nothing else. Of a request with an image "zoom" is the service's own figure
(\`x-cropvlm-ms\`), and "beyond" is what it took above direct and zoom. An event's way is from the upstream's write to the
caller's line.`

/** Parts of a millisecond count here. */
function fine(value: number | null): string {
  return value === null ? '-' : value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
}

function waysTable(rows: readonly WayRow[]): string {
  const head = ['way', 'p50, ms', 'p99, ms', 'added p50', 'added p99', 'requests/s', 'CPU, us a request']
  const cells = (row: WayRow) => [row.p50_ms, row.p99_ms, row.added_p50_ms, row.added_p99_ms].map(fine)
  return table(
    head,
    rows.map(row => [NAMES[row.way], ...cells(row), whole(row.requests_per_s), whole(row.cpu_us)]),
  )
}

function imageTable(row: ImageRow): string {
  const head = ['request', 'ms', 'zoom', 'beyond']
  return table(head, [
    ['direct', fine(row.direct_ms), '-', '-'],
    ...(row.nginx_ms === null ? [] : [['nginx', fine(row.nginx_ms), '-', fine(row.nginx_ms - row.direct_ms)]]),
    ['cropvlm, a new image', fine(row.first_ms), fine(row.zoom_ms), fine(row.beyond_ms)],
    [
      'cropvlm, the same again',
      fine(row.again_ms),
      fine(row.again_zoom_ms),
      fine(row.again_added_ms - row.again_zoom_ms),
    ],
  ])
}

function streamsTable(rows: readonly StreamRow[]): string {
  const head = [
    'way',
    'first event p50, ms',
    'p99',
    'any event p50, ms',
    'p99',
    'broken',
    'MiB, all begun',
    'MiB, at the end',
  ]
  const cells = (row: StreamRow) => [row.first_p50_ms, row.first_p99_ms, row.event_p50_ms, row.event_p99_ms].map(fine)
  return table(
    head,
    rows.map(row => [
      NAMES[row.way],
      ...cells(row),
      String(row.broken),
      whole(row.rss_begin_mb),
      whole(row.rss_end_mb),
    ]),
  )
}
