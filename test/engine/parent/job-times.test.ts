import t from 'tap'
import { JobTimes } from '../../../src/engine/parent/job-times.js'
import type { Ticket } from '../../../src/engine/parent/pending-job.js'
import type { CropJob, GenerateJob, Job } from '../../../src/engine/protocol.js'

const pictures = { crop: null, overlay: null, targetFull: null, targetCrop: null }
const crop = (resolution: number, questions = ['What?']): CropJob => ({
  kind: 'crop',
  image: new Uint8Array(),
  questions,
  resolution,
  expand: 1,
  pictures,
})
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
const ticket = (job: Job, ago: number | null = null) =>
  ({ job, startedAt: ago === null ? null : performance.now() - ago }) as Ticket

t.test('each kind of job by itself', async t => {
  const times = new JobTimes()
  t.equal(times.own(crop(512)), 0)
  t.equal(times.backlog(3, 1), 3000, 'a second each, until something was measured')
  times.add(crop(512), 100, 1)
  times.add(crop(2048), 1000, 1)
  times.add(generate, 10, 1)
  times.add(crop(512, ['a', 'b']), 150, 1)
  t.equal(times.own(crop(512)), 100)
  t.equal(times.own(crop(512, ['a', 'b'])), 150)
  t.equal(times.own(crop(2048)), 1000)
  t.equal(times.own(crop(1024)), 0)
  const waiting = [crop(512), crop(2048), generate, crop(1024)].map(job => ticket(job))
  t.equal(times.untilStart(waiting, [], 1), 1110)
  t.equal(times.untilStart(waiting, [], 2), 555)
  t.equal(times.untilStart(waiting, [], 0), 1110, 'as if the one that is awaited were there')
})

t.test('of what is being done, the rest', async t => {
  const times = new JobTimes()
  times.add(crop(512), 1_000_000, 1)
  const left = times.untilStart([], [ticket(crop(512), 400_000)], 1)
  t.ok(left > 599_000 && left <= 600_000, `${left}`)
  t.equal(times.untilStart([], [ticket(crop(512), 2_000_000)], 1), 0, 'overdue is not less than nothing')
  t.equal(times.untilStart([], [ticket(crop(1024), 5)], 1), 0)
})

t.test('a batch delays the next by its share', async t => {
  const times = new JobTimes()
  times.add(crop(512), 800, 8)
  t.equal(times.own(crop(512)), 800)
  t.equal(times.untilStart([ticket(crop(512)), ticket(crop(512))], [], 1), 200)
})
