import type { AnyResult, Job } from '../protocol.js'

/** A job, and what tells that nobody waits for it any more. */
export interface Task<J extends Job = Job> {
  job: J
  signal: AbortSignal
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
