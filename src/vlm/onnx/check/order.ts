interface Ordered {
  outputs: readonly string[]
  reads: readonly string[]
}

/**
 * Nodes in an order in which each comes behind those that make what it reads. In a file they may stand in any, and ONNX
 * Runtime puts them right. Of a circle, which it refuses, the nodes come in some order.
 */
export function inOrder<T extends Ordered>(nodes: readonly T[]): T[] {
  const makers = new Map<string, T>()
  for (const node of nodes) for (const output of node.outputs) if (output !== '') makers.set(output, node)
  const ordered = new Set<T>()
  const begun = new Set<T>()
  for (const wanted of nodes) {
    const open = [wanted]
    for (let node = open.at(-1); node !== undefined; node = open.at(-1)) {
      const missing = begun.has(node) ? [] : makersOf(node, makers).filter(maker => !begun.has(maker))
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

function makersOf<T extends Ordered>(node: T, makers: ReadonlyMap<string, T>): T[] {
  return node.reads.flatMap(name => makers.get(name) ?? [])
}
