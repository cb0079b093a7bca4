/** Most levels of lists and objects within one another that are read of a stranger's JSON; what is real has under 20. */
export const MAX_LEVELS = 100

/**
 * Whether a JSON value nests deeper than `MAX_LEVELS`. `JSON.parse` takes any depth, but a function that calls itself for
 * each level, as `JSON.stringify` does, runs out of stack at some thousands.
 */
export function isTooDeep(value: unknown, levels = MAX_LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const inner of Object.values(value)) if (isTooDeep(inner, levels - 1)) return true
  return false
}
