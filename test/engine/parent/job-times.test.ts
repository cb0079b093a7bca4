import t from 'tap'
import { JobTimes, RecentMedian } from '../../../src/engine/parent/job-times.js'
import type { PendingJob } from '../../../src/engine/parent/pending-job.js'
import type { GenerateJob, Job, LocateJob, RenderJob } from '../../../src/engine/protocol.js'

const locate = (resolution: number, questions = ['What?']): LocateJob => ({
  kind: 'locate',
  image: new Uint8Array(),
  questions,
  resolution,
  keepPixels: false,
})
const render: RenderJob = { kind: 'render', image: new Uint8Array(), pictures: [] }
const generate: GenerateJob = {
  kind: 'generate',
  model: 'local',
  images: [],
  text: '',
  resolution: null,
  maxTokens: 1,
  temperature: 0,
}
/** As far as it is looked at. @param ago Milliseconds since it was given to a process. */
const pending = (job: Job, ago: number | null = null) =>
  ({ job, startedAt: ago === null ? null : performance.now() - ago }) as PendingJob

t.test('each kind of job by itself', async t => {
  const times = new JobTimes()
  t.equal(times.own(locate(512)), 0)
  t.equal(times.backlog(3, 1), 3000, 'a second each, until something was measured')
  times.add(locate(512), 100, 1)
  times.add(locate(2048), 1000, 1)
  times.add(generate, 10, 1)
  times.add(locate(512, ['a', 'b']), 150, 1)
  t.equal(times.own(locate(512)), 100)
  t.equal(times.own(locate(512, ['a', 'b'])), 150)
  t.equal(times.own(locate(2048)), 1000)
  t.equal(times.own(locate(1024)), 0)
  times.add(render, 7, 1)
  t.equal(times.own(render), 7)
  const waiting = [locate(512), locate(2048), generate, locate(1024)].map(job => pending(job))
  t.equal(times.untilStart(waiting, [], 1), 1110)
  t.equal(times.untilStart(waiting, [], 2), 555)
  t.equal(times.untilStart(waiting, [], 0), 1110, 'as if the one that is awaited were there')
})

t.test('of what is being done, the rest', async t => {
  const times = new JobTimes()
  times.add(locate(512), 1_000_000, 1)
  const left = times.untilStart([], [pending(locate(512), 400_000)], 1)
  t.ok(left > 599_000 && left <= 600_000, `${left}`)
  t.equal(times.untilStart([], [pending(locate(512), 2_000_000)], 1), 0, 'overdue is not less than nothing')
  t.equal(times.untilStart([], [pending(locate(1024), 5)], 1), 0)
})

t.test('a batch delays the next by its share', async t => {
  const times = new JobTimes()
  times.add(locate(512), 800, 8)
  t.equal(times.own(locate(512)), 800)
  t.equal(times.untilStart([pending(locate(512)), pending(locate(512))], [], 1), 200)
})

t.test('the median of the last few', async t => {
  const median = new RecentMedian(3, 7)
  t.equal(median.value, 7)
  median.add(100)
  t.equal(median.value, 100)
  for (const value of [1, 2, 1000]) median.add(value)
  t.equal(median.value, 2)
})
