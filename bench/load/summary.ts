/** The figures of one rate, from the outcomes of its requests. */
import { percentile } from '../../src/evaluation/measures.js'
import { type Sample, total } from '../prometheus.js'
import type { LoadSummary } from '../results.js'
import { significant } from '../stats.js'
import type { Outcome } from './generator.js'

/** prom-client's default of `monitorEventLoopDelay`'s resolution, which each of its values includes. */
export const LOOP_SAMPLING_MS = 10

/** @param seconds How long requests were sent. */
export function summarise(outcomes: readonly Outcome[], seconds: number): LoadSummary {
  const accepted = outcomes.filter(({ status }) => status === 200)
  const times = accepted.map(({ due, done }) => done - due)
  const spread = (share: number) => (times.length === 0 ? null : significant(percentile(times, share)))
  const statuses: Record<string, number> = {}
  for (const { status } of outcomes) statuses[status] = (statuses[status] ?? 0) + 1
  const late = outcomes.map(({ due, sent }) => sent - due)
  return {
    requests: outcomes.length,
    accepted: accepted.length,
    throughput: significant(throughput(outcomes, seconds), 3),
    statuses,
    p50_ms: spread(0.5),
    p99_ms: spread(0.99),
    generator_late_p99_ms: late.length === 0 ? 0 : significant(percentile(late, 0.99), 3),
  }
}

/** Boxes a second over the time in which requests were sent, and on until the last box. */
export function throughput(outcomes: readonly Outcome[], seconds: number): number {
  const accepted = outcomes.filter(({ status }) => status === 200)
  const end = Math.max(seconds * 1000, ...accepted.map(({ done }) => done))
  return (accepted.length * 1000) / end
}

/**
 * The event loop's delay since the scrape before: prom-client resets its histogram at each. Its values are intervals
 * between ticks of a timer of `LOOP_SAMPLING_MS`, so that an idle loop shows that much; the delay is what is above it.
 */
export function loopDelay(samples: readonly Sample[]): { loop_lag_p99_raw_ms: number; loop_delay_p99_ms: number } {
  const raw = (total(samples, 'nodejs_eventloop_lag_p99_seconds') ?? Number.NaN) * 1000
  return {
    loop_lag_p99_raw_ms: significant(raw),
    loop_delay_p99_ms: significant(Math.max(0, raw - LOOP_SAMPLING_MS), 3),
  }
}
