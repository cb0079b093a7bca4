/** What the engine process does with the jobs that it is given together. */
import type { GenerateJob, Job, LocateJob, ReadJob, RenderJob } from '../protocol.js'
import { runGenerateJobs } from './generate-jobs.js'
import { runLocateJobs } from './locate-jobs.js'
import { runReadJob } from './read-jobs.js'
import { runRenderJob } from './render-jobs.js'
import type { JobContext, Settle, Task } from './task.js'

/**
 * Does all of `tasks`; those for one model go through it as one batch. Answers and pictures come before boxes: they are
 * short, or the second half of requests whose box has been found already. The reason of a rejection is a CropVlmError
 * (the image's codes, unsupported_resolution, unknown_target, question_too_long, invalid_model), what the task's signal
 * was aborted with, or a bug.
 */
export async function runJobs(tasks: readonly Task[], context: JobContext, settle: Settle): Promise<void> {
  const generations = tasks.filter(isKind<GenerateJob>('generate'))
  for (const name of new Set(generations.map(({ job }) => job.model))) {
    const group = generations.filter(({ job }) => job.model === name)
    await runGenerateJobs(name, group, context, settle)
  }
  for (const task of tasks.filter(isKind<RenderJob>('render'))) await runRenderJob(task, context, settle)
  for (const task of tasks.filter(isKind<ReadJob>('read'))) await runReadJob(task, context, settle)
  const locations = tasks.filter(isKind<LocateJob>('locate'))
  if (locations.length > 0) await runLocateJobs(locations, context, settle)
}

function isKind<J extends Job>(kind: J['kind']): (task: Task) => task is Task<J> {
  return (task): task is Task<J> => task.job.kind === kind
}
