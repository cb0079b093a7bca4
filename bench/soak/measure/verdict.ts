/** What the figures of a run say: whether the service is steady. */
import { hoursFor, type Line } from './fit.js'

/** MiB an hour. */
export const MAX_SLOPE = 1

export type Growth =
  /** It does not grow, as far as the run can tell. */
  | 'flat'
  /** It grows, beyond what noise explains. */
  | 'leak'
  /** The run was too short, or its samples too noisy, to tell. */
  | 'unclear'

/** Judges a slope of memory: where it is within two standard errors of `MAX_SLOPE`, it is not held against the service. */
export function growth({ slope, error }: Line): Growth {
  if (slope - 2 * error > MAX_SLOPE) return 'leak'
  if (error > MAX_SLOPE || Number.isNaN(slope)) return 'unclear'
  if (slope < MAX_SLOPE) return 'flat'
  return slope > 2 * error ? 'leak' : 'unclear'
}

/** A slope in words, with what would be needed where it says nothing yet. */
export function growthText(line: Line): string {
  const found = growth(line)
  if (Number.isNaN(line.slope)) return 'too few samples for a line'
  const figures = `${line.slope.toFixed(2)} ± ${line.error.toFixed(2)} MiB/h over ${minutes(line.hours)}`
  if (found !== 'unclear') return `${figures}: ${found}`
  // a slope that is over the limit by less than its noise needs half of it
  const wanted = line.error > MAX_SLOPE ? MAX_SLOPE : MAX_SLOPE / 2
  const needed = minutes(hoursFor(line, wanted) ?? Number.NaN)
  return `${figures}: not yet meaningful; ± ${wanted} needs about ${needed} like these`
}

function minutes(hours: number): string {
  return hours < 2 ? `${(hours * 60).toFixed(hours < 0.1 ? 1 : 0)} min` : `${hours.toFixed(1)} h`
}
