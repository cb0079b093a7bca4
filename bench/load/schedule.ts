/** When the requests of an open loop are sent: at these times, even if earlier ones have not been answered. */

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
  // with fixed spacing the first request is sent at once, with random spacing after a gap
  for (let time = spacing === 'fixed' ? 0 : gap(); time < seconds * 1000; time += gap()) times.push(time)
  return times
}
