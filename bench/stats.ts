/** Statistics of a series of measurements. */

/** The middle value; of an even number the mean of the middle two. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const [low, high] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** The median of each key over all records that have it. */
export function medians(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const keys = [...new Set(records.flatMap(record => Object.keys(record)))]
  return Object.fromEntries(
    keys.map(key => [key, median(records.map(record => record[key]).filter(value => value !== undefined))]),
  )
}

/**
 * How many times longer `theirs` took: the median of the ratios of the pairs, each pair measured one after the other on
 * the same picture, so that a machine that is busier for a while does not shift it.
 * @throws RangeError: the lists have different lengths, or are empty
 */
export function pairedRatio(theirs: readonly number[], ours: readonly number[]): number {
  if (theirs.length !== ours.length || ours.length === 0)
    throw new RangeError(`${theirs.length} measurements cannot be paired with ${ours.length}`)
  return median(theirs.map((value, i) => value / (ours[i] as number)))
}

/** To `digits` significant digits, as results are written. */
export function significant(value: number, digits = 4): number {
  return Number(value.toPrecision(digits))
}
