import type { Node } from './node.js'
import type { Known } from './tensor.js'

/** What a Loop's body says of how the loop ends. */
export interface Body {
  /** Names of its inputs and outputs. */
  inputs: readonly string[]
  outputs: readonly string[]
  /** Which name of the body another one is a copy of. */
  copies: ReadonlyMap<string, string>
  /** What is known of a name before the body runs, here and outside. */
  known: (name: string) => Known | null
}

/**
 * How often a Loop runs its body: Infinity where it has no end, 1 where that shows only when it runs. A scripted `while` has
 * the largest count there is and a condition that its body computes, and is none of our business.
 * @param count What is known of its two inputs, the count and the condition.
 */
export function tripsOf(
  { inputs }: Node,
  [count, condition]: readonly (Known | null | undefined)[],
  body: Body,
): number {
  if (condition?.values?.[0] === 0) return 0
  if (isComputed(body)) return 1
  if (!inputs[0]) return Number.POSITIVE_INFINITY
  return Math.max(0, count?.values?.[0] ?? 1)
}

/** Whether the body can end the loop: it neither hands its condition on, nor gives one that is always true. */
function isComputed({ inputs, outputs, copies, known }: Body): boolean {
  let name = outputs[0] ?? ''
  for (let i = 0; i <= copies.size && name !== inputs[1]; i++) name = copies.get(name) ?? name
  return name !== inputs[1] && known(name)?.values?.[0] !== 1
}
