/** What amounts tell of one another. */

/** The value of an amount as it is written (in the form NFKC); null where it is none. The last mark before two digits is the decimal one. */
export function amountOf(text: string): number | null {
  const digits = text.replace(/[^\d.,]/g, '')
  if (!/\d/.test(digits)) return null
  const cents = /[.,](\d{2})$/.exec(digits)
  const whole = (cents ? digits.slice(0, -3) : digits).replace(/[.,]/g, '')
  return Number(`${whole || 0}.${cents?.[1] ?? 0}`)
}

/**
 * Which of some amounts others add up to: a run of at least two that stand right before it, or one before and one after
 * it as what was given and what is given back.
 * @param values In reading order; null where a line has none.
 * @returns For each whether its value is such a sum.
 */
export function sums(values: readonly (number | null)[]): boolean[] {
  const cents = values.map(value => (value === null ? null : Math.round(100 * value)))
  const found = new Set<number>()
  for (const [end, total] of cents.entries()) {
    if (total === null || total === 0) continue
    let sum = 0
    let parts = 0
    for (let i = end - 1; i >= 0 && sum <= total; i--) {
      const part = cents[i]
      if (part === null || part === undefined || part === 0) continue
      sum += part
      parts += 1
      if (sum === total && parts > 1) found.add(total)
    }
    const [given, back] = cents.slice(end + 1).filter(value => value !== null && value !== 0)
    if (given && back && given > total && given - back === total) found.add(total)
  }
  return cents.map(value => value !== null && found.has(value))
}
