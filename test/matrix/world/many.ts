/** Several at once, and what their times come to. */

/** So many calls at once, in order. */
export function many<Result>(count: number, call: (i: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => call(i)))
}

/** The median and the 99th percentile of some numbers. */
export function times(values: readonly number[]): { median: number; p99: number } {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { median: at(0.5), p99: at(0.99) }
}
