/** What was done to the service, and when: a reply is judged by what happened while its request was on its way. */
import type { Disturbed } from './requests/expect.js'

interface Span {
  start: number
  /** Infinite while it lasts. */
  end: number
}

export class Disturbances {
  readonly #spans: Record<keyof Disturbed, Span[]> = { killed: [], crowded: [] }

  /** @returns what to call when it is over */
  begin(what: keyof Disturbed): () => void {
    const span = { start: performance.now(), end: Number.POSITIVE_INFINITY }
    this.#spans[what].push(span)
    return () => {
      span.end = performance.now()
    }
  }

  /** What lay, in part at least, between a time and now. */
  since(start: number): Disturbed {
    const met = (spans: readonly Span[]) => spans.some(({ end }) => end >= start)
    return { killed: met(this.#spans.killed), crowded: met(this.#spans.crowded) }
  }
}
