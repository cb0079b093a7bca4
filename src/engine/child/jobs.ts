/** What the engine process does with the jobs that it is given together. */

import type { WorkerOptions } from '../options.js'
import type { CropJob, CropResult, GenerateJob, GenerateResult, Job } from '../protocol.js'
import { runCrops } from './crop-jobs.js'
import { runGenerations } from './generate-jobs.js'
import type { Models } from './models.js'

/** A job, and what tells that nobody waits for it any more. */
export interface Task<J extends Job = Job> {
  job: J
  signal: AbortSignal
}

export type Outcome = PromiseSettledResult<CropResult | GenerateResult>

/** Told of each task once, as soon as its outcome is known. */
export type Settle = (task: Task, outcome: Outcome) => void

/**
 * Does all of `tasks`, those for one model as one batch. Answers come before boxes: they are the second half of
 * requests whose box was found already. A rejection's reason is a CropVlmError (the image's codes,
 * unsupported_resolution, unknown_target, question_too_long), what the task's signal was aborted with, or a bug.
 */
export async function runJobs(
  tasks: readonly Task[],
  models: Models,
  options: WorkerOptions,
  settle: Settle,
): Promise<void> {
  const isCrop = (task: Task): task is Task<CropJob> => task.job.kind === 'crop'
  const isGenerate = (task: Task): task is Task<GenerateJob> => task.job.kind === 'generate'
  const generations = tasks.filter(isGenerate)
  for (const name of new Set(generations.map(({ job }) => job.model))) {
    const group = generations.filter(({ job }) => job.model === name)
    await runGenerations(name, group, models, options, settle)
  }
  const crops = tasks.filter(isCrop)
  if (crops.length > 0) await runCrops(crops, models, options, settle)
}

/** Settles all of `tasks` that `work` leaves open when it throws. */
export async function settlingAll(tasks: readonly Task[], settle: Settle, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (reason) {
    for (const task of tasks) settle(task, { status: 'rejected', reason })
  }
}
