import { NO_SPAN, type Span } from '../tracing/span.js'
import { MACHINE_CLOCK } from '../vlm/stages.js'
import type { AnyResult, Job } from './protocol.js'

/** When a job was accepted and given to a process, on `performance.now()`'s clock. */
interface Waited {
  readonly promise: Promise<AnyResult>
  readonly queuedAt: number
  readonly startedAt: number | null
}

/**
 * A job's result, with a span for the job and one for each of its stages, at the times at which they really were: that in
 * the queue as this process saw it, the others as the engine process tells. Between them lies what carries the image there
 * and the result back.
 */
export async function tracedJob(parent: Span | undefined, { kind }: Job, pending: Waited): Promise<AnyResult> {
  const span = (parent ?? NO_SPAN).child(`engine ${kind}`, { start: pending.queuedAt })
  try {
    const result = await pending.promise
    if (span.ids) recordStages(span, result)
    return result
  } catch (error) {
    span.fail(error)
    throw error
  } finally {
    if (span.ids && pending.startedAt !== null) span.child('queue', { start: pending.queuedAt }).end(pending.startedAt)
    span.end()
  }
}

function recordStages(span: Span, { intervals = [] }: AnyResult): void {
  for (const { stage, start, end } of intervals)
    span.child(stage, { start: start - MACHINE_CLOCK }).end(end - MACHINE_CLOCK)
}
