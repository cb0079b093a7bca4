import type { Engine, Patience } from '../engine/engine.js'
import type { Job, JobResult } from '../engine/protocol.js'
import { CropVlmError } from '../errors.js'

/**
 * Runs the job of a target that the engine runs, for `timeoutMs` milliseconds at most.
 * @param who Begins the message where it takes longer.
 * @throws CropVlmError target_timeout; the engine's other codes (queue_full, engine_unavailable, ...) keep their own
 * meaning and status
 */
export async function runTargetJob<J extends Job>(
  engine: Engine,
  job: J,
  patience: Patience,
  timeoutMs: number,
  who: string,
): Promise<JobResult<J>> {
  try {
    const deadline = Math.min(patience.deadline, Date.now() + timeoutMs)
    return await engine.run(job, { signal: patience.signal, deadline, span: patience.span, isSecondHalf: true })
  } catch (error) {
    if (!(error instanceof CropVlmError) || error.code !== 'deadline_exceeded') throw error
    throw new CropVlmError('target_timeout', `${who} did not answer in time. ${error.message}`, { cause: error })
  }
}
