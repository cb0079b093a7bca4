import t from 'tap'
import type { PendingJob } from '../../../src/engine/parent/pending-job.js'
import { JobQueue } from '../../../src/engine/parent/queue.js'

/** As far as the queue looks at it. */
const pending = (isSecondHalf: boolean, id: number, queuedAt = id) => ({ id, queuedAt, isSecondHalf }) as PendingJob
const ids = (jobs: readonly PendingJob[]) => jobs.map(({ id }) => id)

t.test('second halves before first halves, else in the order in which they came', async t => {
  const queue = new JobQueue()
  const jobs = [false, true, false, true, false].map((isSecondHalf, id) => pending(isSecondHalf, id))
  for (const one of jobs) queue.add(one)
  t.same(ids(queue.waiting), [1, 3, 0, 2, 4])
  t.equal(queue.first, jobs[1])
  t.equal(queue.oldest, 0)
  queue.remove(jobs[0] as PendingJob)
  queue.remove(pending(false, 99))
  t.equal(queue.oldest, 1)
  t.same(ids(queue.take(3)), [1, 3, 2])
  t.equal(queue.size, 1)
  t.same(ids(queue.take(3)), [4])
  t.equal(queue.first, undefined)
})
