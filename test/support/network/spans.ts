/** Reads the tree of a trace. */
import type { Test } from 'tap'
import type { CollectedSpan } from './collector.js'

/** What `performance.now()` loses on its way to nanoseconds and back, in milliseconds. */
const ROUNDING = 0.01

/** The children of a span, by their start. */
export function childrenOf(spans: readonly CollectedSpan[], parent: CollectedSpan): CollectedSpan[] {
  return spans.filter(span => span.parent === parent.id).sort((a, b) => a.start - b.start)
}

/** The one span of a name. */
export function spanNamed(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter(span => span.name === name)
  if (found.length === 1) return found[0] as CollectedSpan
  throw new Error(`${found.length} spans are named ${name}; there are ${spans.map(span => span.name).join(', ')}`)
}

/** The server span, which is nobody's child among those here. */
export function serverSpan(spans: readonly CollectedSpan[]): CollectedSpan {
  const found = spans.filter(({ kind }) => kind === 'server')
  if (found.length === 1) return found[0] as CollectedSpan
  throw new Error(`${found.length} server spans`)
}

/** Every span but the server's lies within its parent, which is there. */
export function isNested(t: Test, spans: readonly CollectedSpan[]): void {
  for (const span of spans.filter(({ kind }) => kind !== 'server')) {
    const parent = spans.find(({ id }) => id === span.parent)
    t.ok(parent, `${span.name} has its parent`)
    if (!parent) continue
    const isWithin = span.start >= parent.start - ROUNDING && span.end <= parent.end + ROUNDING
    t.ok(isWithin && span.end >= span.start, `${span.name} lies within ${parent.name}`, { span, parent })
  }
}
