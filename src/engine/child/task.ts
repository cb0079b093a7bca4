import type { ImageLimits } from '../../image/limits.js'
import type { AnyResult, Job } from '../protocol.js'
import type { ImageFiles } from './image-file.js'
import type { Models } from './models.js'

/** A job, and what tells that nobody waits for it any more. */
export interface Task<J extends Job = Job> {
  job: J
  signal: AbortSignal
}

/** What jobs are done with. */
export interface JobContext {
  models: Models
  files: ImageFiles
  limits: ImageLimits
  /** Whether the box grammar masks the logits, so that every answer is a box. */
  constrained: boolean
}

/** The limits of pictures that this service makes: a crop may have a more extreme aspect than any image that is let in. */
export function ownLimits({ maxPixels }: ImageLimits): ImageLimits {
  return { maxPixels, maxAspect: Number.POSITIVE_INFINITY }
}

export type Outcome = PromiseSettledResult<AnyResult>

/** Told of each task once, as soon as its outcome is known. */
export type Settle = (task: Task, outcome: Outcome) => void

/** Does `work`; if it throws, all of `tasks` that have not been settled by then are rejected with that error. */
export async function settlingAll(tasks: readonly Task[], settle: Settle, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (reason) {
    for (const task of tasks) settle(task, { status: 'rejected', reason })
  }
}
