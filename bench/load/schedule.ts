/** When the requests of an open loop are sent: at these times, even if earlier ones have not been answered. */

/**
 * Milliseconds after the start, rising, all below `seconds`, with exponential gaps: callers who know nothing of each
 * other (a Poisson process).
 * @param rate Requests a second.
 * @param random Numbers in [0, 1).
 */
export function schedule(rate: number, seconds: number, random: () => number): number[] {
  const times: number[] = []
  const gap = () => -Math.log(1 - random()) * (1000 / rate)
  for (let time = gap(); time < seconds * 1000; time += gap()) times.push(time)
  return times
}
