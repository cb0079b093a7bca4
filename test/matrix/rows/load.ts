/** Rows 47 to 50: clients that go away, and more of them than there is room for. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Row } from '../row.js'
import type { Reply } from '../world/client.js'
import { many, times } from '../world/many.js'
import { page, pageOf } from '../world/pictures/page.js'
import { engineProcesses } from '../world/proc.js'
import type { Service } from '../world/service.js'
import { until } from '../world/until.js'
import type { World } from '../world/world.js'

const MODEL = { CROPPER_MODEL: 'models/cropvlm-mini', PREFIX_CACHE_BYTES: '0' }

export const LOAD: readonly Row[] = [
  {
    number: 47,
    fault: 'client disconnects',
    behaviour: 'its job ends within a run of the model, and the next one gets its turn',
    run: goneClient,
  },
  {
    number: 48,
    fault: 'queue full',
    behaviour: '429 `queue_full` with `Retry-After`, in under 20 ms',
    run: fullQueue,
  },
  {
    number: 49,
    fault: 'deadline passes in the queue',
    behaviour: '504 `deadline_exceeded` at `REQUEST_TIMEOUT_MS`; the job never starts',
    run: lateJobs,
  },
  {
    number: 50,
    fault: '10x burst',
    behaviour: 'what is accepted is answered within the deadline, the rest gets 429 at once, or 504',
    run: burst,
  },
]

/** So many long questions about a picture: seconds of work. */
async function heavy(service: Service, picture: Buffer, signal?: AbortSignal): Promise<Reply> {
  const questions = JSON.stringify(Array.from({ length: 32 }, (_, i) => `${i} ${'word '.repeat(380)}`))
  return await service.crop(picture, { questions }, { question: null, ...(signal ? { signal } : {}) })
}

async function goneClient(world: World): Promise<string> {
  const service = await world.start(MODEL)
  const [picture, small] = [await pageOf(1600, 1200).jpeg().toBuffer(), await page()]
  const whole = await heavy(service, picture)
  assert.equal(whole.status, 200, whole.text.slice(0, 200))
  const client = new AbortController()
  const left = heavy(service, picture, client.signal)
  await comes(async () => (await inFlight(service)) === 1, 'the request does not arrive')
  const waiting = service.crop(small)
  await comes(async () => (await service.metric('cropvlm_queue_size')) === 1, 'nothing waits')
  const start = performance.now()
  client.abort()
  assert.equal((await left).status, 0)
  world.answered(await waiting)
  const ms = performance.now() - start
  world.within(whole.ms / 2, ms, 'the turn of the next request')
  await comes(async () => (await inFlight(service)) === 0, 'a request still counts as in flight')
  return `left one of ${Math.round(whole.ms)} ms; the next was answered ${Math.round(ms)} ms later`
}

/** Requests in flight besides the one that asks. */
async function inFlight(service: Service): Promise<number> {
  return (await service.metric('cropvlm_requests_in_flight')) - 1
}

/** That something comes to pass. @throws AssertionError with `otherwise` */
async function comes(condition: () => Promise<boolean>, otherwise: string): Promise<void> {
  assert.ok((await until(condition, 20_000)) !== null, otherwise)
}

/** The engine process stands still, so that nothing but the refusals is measured, and its place stays taken. */
async function fullQueue(world: World): Promise<string> {
  const service = await world.start({ ...MODEL, QUEUE_SIZE: '2', ENGINE_HEARTBEAT_MS: '60000' })
  const image = await page()
  const [engine = 0] = engineProcesses(service.pid)
  process.kill(engine, 'SIGSTOP')
  const accepted = many(3, () => service.crop(image))
  await comes(async () => (await service.metric('cropvlm_queue_size')) === 2, 'the queue does not fill')
  const refusals: number[] = []
  for (let i = 0; i < 100; i++) {
    const reply = await service.crop(image)
    world.refused(reply, '429 queue_full')
    assert.ok(Number(reply.header('retry-after')) >= 1, 'there is no Retry-After')
    refusals.push(reply.ms)
  }
  process.kill(engine, 'SIGCONT')
  for (const reply of await accepted) world.answered(reply, 20_000)
  const { median, p99 } = times(refusals)
  world.within(20, median, 'half of the refusals')
  return `100 refusals, median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms; the 3 before them answered`
}

async function lateJobs(world: World): Promise<string> {
  const service = await world.start({ ...MODEL, REQUEST_TIMEOUT_MS: '3000', ENGINE_HEARTBEAT_MS: '60000' })
  const image = await page()
  const [engine = 0] = engineProcesses(service.pid)
  const before = await service.metric('cropvlm_generated_tokens_count')
  process.kill(engine, 'SIGSTOP')
  const replies = await many(3, () => service.crop(image))
  process.kill(engine, 'SIGCONT')
  const inQueue = replies.filter(({ text }) => text.includes('waited in the queue'))
  assert.ok(
    inQueue.length >= 2,
    `${inQueue.length} of 3 say that they waited in the queue: ${replies[2]?.text.slice(0, 200)}`,
  )
  const slowest = Math.max(...replies.map(({ ms }) => ms))
  for (const reply of replies) {
    world.refused(reply, '504 deadline_exceeded', 4000)
    assert.ok(reply.ms >= 2900, `refused after ${Math.round(reply.ms)} ms, before the deadline`)
  }
  const answered = async () => (await service.crop(image)).status === 200
  assert.ok((await until(answered, 20_000)) !== null, 'nothing is answered any more')
  // of the three only the first can have been at work when the process stood still
  const boxes = (await service.metric('cropvlm_generated_tokens_count')) - before
  assert.ok(boxes <= 2, `${boxes} boxes were made`)
  return `3 refused, the last after ${Math.round(slowest)} ms, ${inQueue.length} of them in the queue; ${boxes} box made after`
}

async function burst(world: World): Promise<string> {
  const deadlineMs = 3000
  const service = await world.start({ REQUEST_TIMEOUT_MS: String(deadlineMs) })
  const pictures = await many(60, i =>
    pageOf(300 + i, 220)
      .jpeg()
      .toBuffer(),
  )
  const picture = (i: number) => pictures[i % pictures.length] as Buffer
  const alone: number[] = []
  for (let i = 0; i < 10; i++) alone.push((await service.crop(picture(i))).ms)
  const everyMs = times(alone).median / 10
  const pending: Promise<Reply>[] = []
  const start = performance.now()
  for (let i = 0; performance.now() - start < 6000; i++) {
    pending.push(service.crop(picture(i), {}, { question: `What is ${i}?` }))
    await sleep(everyMs)
  }
  const replies = await Promise.all(pending)
  const counts = new Map<string, number>()
  for (const reply of replies) {
    if (reply.status === 200) world.answered(reply)
    else world.refused(reply, ['429 queue_full', '504 deadline_exceeded'], deadlineMs + 1000)
    const what = reply.status === 200 ? '200' : `${reply.status} ${reply.body.error?.code}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  const accepted = replies.filter(({ status }) => status === 200).map(({ ms }) => ms)
  assert.ok(accepted.length > 0, 'nothing was answered')
  const { median, p99 } = times(accepted)
  world.within(deadlineMs + 500, p99, 'the 99th percentile of what was answered')
  const shown = [...counts].map(([what, count]) => `${what}: ${count}`).join(', ')
  return `one every ${everyMs.toFixed(0)} ms: ${shown}; answered: median ${Math.round(median)} ms, p99 ${Math.round(p99)} ms`
}
