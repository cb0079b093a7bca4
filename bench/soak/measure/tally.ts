/** Requests by kind: how many, with which status, and how long they took. */
import { percentile } from '../../../src/evaluation/measures.js'

/** Times kept of each kind; of more, every second one is dropped, again and again. */
const MAX_TIMES = 4096

export interface Row {
  kind: string
  requests: number
  /** Status -> requests; 0 is no reply, and `cut` a reply that broke off. */
  statuses: Readonly<Record<string, number>>
  p50: number
  p99: number
}

interface Kept {
  requests: number
  statuses: Record<string, number>
  times: number[]
  /** One in so many requests is timed. */
  every: number
}

export class Tally {
  readonly #kinds = new Map<string, Kept>()

  /** @param ms From the request's first byte to the reply's last. */
  add(kind: string, status: string, ms: number): void {
    const kept = this.#kinds.get(kind) ?? { requests: 0, statuses: {}, times: [], every: 1 }
    this.#kinds.set(kind, kept)
    kept.statuses[status] = (kept.statuses[status] ?? 0) + 1
    if (kept.requests++ % kept.every === 0) kept.times.push(ms)
    if (kept.times.length < MAX_TIMES) return
    kept.times = kept.times.filter((_, i) => i % 2 === 0)
    kept.every *= 2
  }

  get requests(): number {
    return [...this.#kinds.values()].reduce((sum, { requests }) => sum + requests, 0)
  }

  rows(): Row[] {
    const kinds = [...this.#kinds].sort(([a], [b]) => a.localeCompare(b))
    return kinds.map(([kind, { requests, statuses, times }]) => ({
      kind,
      requests,
      statuses,
      p50: percentile(times, 0.5),
      p99: percentile(times, 0.99),
    }))
  }
}
