import type { Node } from './node.js'
import type { Inputs } from './rules/rule.js'
import type { Known } from './tensor.js'

/**
 * How often a Loop runs its body: Infinity where it has no end, 1 where that shows only when it runs. A scripted `while` has
 * the largest count there is and a condition that its body computes, and is none of our business.
 * @param inputs What is known of the count, the condition and the rest.
 * @param goesOn What is known of the condition that the body gives while its own one holds: whether it always does.
 */
export function tripsOf({ inputs: names }: Node, inputs: Inputs, goesOn: Known | null): number {
  const [count, condition] = inputs
  if (condition?.values?.[0] === 0) return 0
  if (goesOn?.values?.[0] !== 1) return 1
  if (!names[0]) return Number.POSITIVE_INFINITY
  const trips = Math.trunc(count?.values?.[0] ?? 1)
  return Number.isNaN(trips) ? 1 : Math.max(0, trips)
}
