import { CropVlmError } from '../../errors.js'
import type { ReadJob } from '../protocol.js'
import { type JobContext, ownLimits, type Settle, settlingAll, type Task } from './task.js'

/** Reads the text of one image. */
export async function runReadJob(
  task: Task<ReadJob>,
  { models: { reader }, files, limits }: JobContext,
  settle: Settle,
): Promise<void> {
  await settlingAll([task], settle, async () => {
    if (!reader) throw new CropVlmError('internal_error', 'The engine was started without the text reader.')
    const { image, madeBy, keepPixels } = task.job
    const file = files.read(image, madeBy === 'caller' ? limits : ownLimits(limits), keepPixels)
    const { lines, size, reused, timings, intervals } = await reader.read(file, task.signal)
    settle(task, {
      status: 'fulfilled',
      value: { kind: 'read', lines, image: size, reused, timings: { queue: 0, ...timings }, intervals },
    })
  })
}
