/** The figures of the proxy part, from what the client measured. */
import { percentile } from '../../src/evaluation/measures.js'
import { median, significant } from '../stats.js'
import type { Asked, Streamed } from './client.js'
import type { ImageRow, StreamRow, Way, WayRow } from './results.js'

/** The rounds of one way: milliseconds of each request of each round, requests a second and microseconds of a request of each. */
export interface WayRounds {
  way: Way
  times: readonly (readonly number[])[]
  rates: readonly number[]
  cpu: readonly number[]
}

/** @param ways `direct` is one of them; all have the same number of rounds. */
export function summariseWays(ways: readonly WayRounds[]): WayRow[] {
  const direct = ways.find(({ way }) => way === 'direct')
  if (!direct) throw new Error('nothing to compare with: the direct way was not measured')
  return ways.map(({ way, times, rates, cpu }) => {
    const spread = (share: number) => significant(median(times.map(round => percentile(round, share))), 3)
    const added = (share: number) => {
      const above = times.map((round, i) => percentile(round, share) - percentile(direct.times[i] ?? [], share))
      return way === 'direct' ? null : significant(median(above), 3)
    }
    return {
      way,
      p50_ms: spread(0.5),
      p99_ms: spread(0.99),
      added_p50_ms: added(0.5),
      added_p99_ms: added(0.99),
      requests_per_s: Math.round(median(rates)),
      cpu_us: cpu.length === 0 ? null : Math.round(median(cpu)),
    }
  })
}

/** Each list has the same images in the same order. */
export interface ImageTurns {
  direct: readonly Asked[]
  nginx: readonly Asked[] | null
  first: readonly Asked[]
  again: readonly Asked[]
}

export function summariseImages({ direct, nginx, first, again }: ImageTurns): ImageRow {
  const middle = (list: readonly number[]) => significant(median(list))
  const ms = (list: readonly Asked[]) => list.map(asked => asked.ms)
  const zoom = (list: readonly Asked[]) => list.map(({ zoom_ms }) => zoom_ms ?? 0)
  const above = (list: readonly Asked[]) => list.map((asked, i) => asked.ms - (direct[i]?.ms ?? Number.NaN))
  return {
    images: first.length,
    zoomed: first.filter(({ decision }) => decision === 'zoomed').length,
    body_kb: Math.round(median(first.map(({ body_bytes }) => body_bytes)) / 1024),
    direct_ms: middle(ms(direct)),
    nginx_ms: nginx && middle(ms(nginx)),
    first_ms: middle(ms(first)),
    zoom_ms: middle(zoom(first)),
    beyond_ms: middle(above(first).map((added, i) => added - (first[i]?.zoom_ms ?? 0))),
    again_ms: middle(ms(again)),
    again_zoom_ms: middle(zoom(again)),
    again_added_ms: middle(above(again)),
  }
}

/** @param rounds Of one way. @param events How many each stream should have. @param rss Of the last round. */
export function summariseStreams(
  way: Way,
  rounds: readonly Streamed[],
  events: number,
  rss: Pick<StreamRow, 'rss_begin_mb' | 'rss_end_mb'>,
): StreamRow {
  const spread = (of: 'first' | 'all', share: number) =>
    significant(median(rounds.map(round => percentile(round[of], share))), 3)
  return {
    way,
    clients: rounds[0]?.events.length ?? 0,
    events,
    broken: rounds.flatMap(round => round.events).filter(count => count !== events).length,
    first_p50_ms: spread('first', 0.5),
    first_p99_ms: spread('first', 0.99),
    event_p50_ms: spread('all', 0.5),
    event_p99_ms: spread('all', 0.99),
    ...rss,
  }
}
