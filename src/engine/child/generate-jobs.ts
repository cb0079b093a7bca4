import { CropVlmError } from '../../errors.js'
import type { Generation } from '../../vlm/request.js'
import type { GenerateJob, GenerateResult } from '../protocol.js'
import { type JobContext, ownLimits, type Settle, settlingAll, type Task } from './task.js'

/** Has one local target answer all jobs that ask it, as one batch. */
export async function runGenerateJobs(
  name: string,
  tasks: readonly Task<GenerateJob>[],
  { models: { targets }, files, limits }: JobContext,
  settle: Settle,
): Promise<void> {
  await settlingAll(tasks, settle, async () => {
    const model = targets.get(name)
    if (!model) throw new CropVlmError('unknown_target', `The engine runs no target named "${name}".`)
    const own = ownLimits(limits)
    const outcomes = await model.generateAll(
      tasks.map(({ job, signal }) => ({
        images: job.images.map(bytes => files.read(bytes, own)),
        text: job.text,
        resolution: job.resolution,
        maxNewTokens: job.maxTokens,
        temperature: job.temperature,
        grammar: null,
        signal,
      })),
    )
    for (const [i, outcome] of outcomes.entries()) {
      const task = tasks[i] as Task
      settle(task, outcome.status === 'rejected' ? outcome : { status: 'fulfilled', value: result(outcome.value) })
    }
  })
}

function result({ text, tokens, isComplete, promptTokens, timings, intervals }: Generation): GenerateResult {
  return {
    kind: 'generate',
    text,
    finishReason: isComplete ? 'stop' : 'length',
    usage: { promptTokens, completionTokens: tokens.length },
    timings: { queue: 0, ...timings, crop: 0 },
    intervals,
  }
}
