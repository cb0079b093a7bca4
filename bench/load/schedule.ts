/** When the requests of an open loop leave: at their times, whatever becomes of those before them. */

export type Spacing = 'poisson' | 'fixed'

/**
 * Milliseconds after the start, rising, all below `seconds`.
 * `poisson`: independent callers (exponential gaps); `fixed`: one every 1 / rate.
 * @param rate Requests a second.
 * @param random Numbers in [0, 1).
 */
export function schedule(rate: number, seconds: number, spacing: Spacing, random: () => number): number[] {
  const times: number[] = []
  const gap = () => (spacing === 'fixed' ? 1 : -Math.log(1 - random())) * (1000 / rate)
  // a fixed beat starts at once, random callers after a gap
  for (let time = spacing === 'fixed' ? 0 : gap(); time < seconds * 1000; time += gap()) times.push(time)
  return times
}
