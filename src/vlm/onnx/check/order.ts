import type { Node } from './node.js'

/**
 * Nodes in an order in which each comes behind those that make its inputs. In a file they may stand in any, and ONNX Runtime
 * puts them right. Of a circle, which it refuses, the nodes come in some order. Graphs within nodes see all names around
 * them, so these nodes come late.
 */
export function inOrder(nodes: readonly Node[]): Node[] {
  const makers = new Map<string, Node>()
  for (const node of nodes) for (const output of node.outputs) if (output !== '') makers.set(output, node)
  const ordered = new Set<Node>()
  const begun = new Set<Node>()
  const late = (node: Node) => Number([...node.attributes.values()].some(({ graphs }) => graphs.length > 0))
  for (const wanted of nodes.toSorted((a, b) => late(a) - late(b))) {
    const open = [wanted]
    for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
      const missing = begun.has(node) ? [] : madeBefore(node, makers).filter(maker => !begun.has(maker))
      begun.add(node)
      if (missing.length > 0) open.push(...missing)
      else {
        ordered.add(node)
        open.pop()
      }
    }
  }
  return [...ordered]
}

function madeBefore(node: Node, makers: ReadonlyMap<string, Node>): Node[] {
  return node.inputs.flatMap(name => makers.get(name) ?? [])
}
