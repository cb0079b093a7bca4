/** What the rules about nodes have in common. */
import type { Node } from '../node.js'
import type { Known } from '../tensor.js'

/** What is known of a node's inputs, in their order: null: nothing; undefined: there is none. */
export type Inputs = readonly (Known | null | undefined)[]

/** What is known of a node's first output; null: nothing. */
export type Rule = (inputs: Inputs, node: Node) => Known | null

export const size = (dims: readonly number[] | null | undefined): Known | null => (dims ? { dims, values: null } : null)

export const attribute = (node: Node, name: string) => node.attributes.get(name)?.known

/** A dim, at least 1: a size that is unknown. */
export const atLeast = (known: Known | null | undefined, i: number) => known?.dims[i] ?? 1

/** The product of dims: how many numbers a tensor has. */
export const productOf = (dims: readonly number[]) => dims.reduce((product, dim) => product * Math.max(0, dim), 1)

/** The dims of two tensors broadcast to each other, as in NumPy. */
export function broadcast(one: readonly number[], other: readonly number[]): number[] {
  const rank = Math.max(one.length, other.length)
  const from = (dims: readonly number[], i: number) => dims[i - rank + dims.length] ?? 1
  return Array.from({ length: rank }, (_, i) => {
    const [a, b] = [from(one, i), from(other, i)]
    // nothing broadcast to one is nothing
    return Math.min(a, b) === 0 ? 0 : Math.max(a, b)
  })
}
