/** Rows 51 to 53: an engine process that dies, hangs, or gets no memory. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { Row } from '../row.js'
import { flat, page, pageOf } from '../world/pictures/page.js'
import { engineProcesses, isAlive, memoryMb } from '../world/proc.js'
import type { Service } from '../world/service.js'
import { until } from '../world/until.js'
import { each, Skipped, type World } from '../world/world.js'

export const ENGINE: readonly Row[] = [
  {
    number: 51,
    fault: 'engine SIGKILL/SIGSEGV',
    behaviour: 'the request at work gets 503 `engine_unavailable`, the others their answers; ready again within 2 s',
    ends: 'engine',
    run: killed,
  },
  {
    number: 52,
    fault: 'engine hangs',
    behaviour: 'found by its silence (`ENGINE_HEARTBEAT_MS`), killed and replaced; `/health/ready` is 503 meanwhile',
    ends: 'engine',
    run: hangs,
  },
  {
    number: 53,
    fault: 'engine out of memory',
    behaviour:
      '503 `engine_unavailable` for that request, never a fault of its picture; the server lives, the next one is answered',
    isShort: true,
    ends: 'engine',
    run: outOfMemory,
  },
]

async function killed(world: World): Promise<string> {
  const service = await world.start()
  return await each({ SIGKILL: 'SIGKILL', SIGSEGV: 'SIGSEGV', SIGABRT: 'SIGABRT' } as const, async signal => {
    const [engine = 0] = engineProcesses(service.pid)
    process.kill(engine, 'SIGSTOP')
    const lost = service.crop(await pageOf(700, 500).jpeg().toBuffer())
    assert.ok((await until(async () => (await inFlight(service)) === 1, 5000)) !== null, 'the request does not arrive')
    const waiting = service.crop(await page())
    assert.ok(
      (await until(async () => (await service.metric('cropvlm_queue_size')) === 1, 5000)) !== null,
      'nothing waits',
    )
    process.kill(engine, signal)
    // every signal but SIGKILL waits until the process goes on
    process.kill(engine, 'SIGCONT')
    const start = performance.now()
    const refused = world.refused(await lost, '503 engine_unavailable', 10_000)
    const isBack = async () =>
      (await service.get('/health/ready')).status === 200 && engineProcesses(service.pid)[0] !== engine
    assert.ok((await until(isBack, 30_000)) !== null, 'it does not come back')
    const backMs = performance.now() - start
    world.within(2000, backMs, 'being ready again')
    world.answered(await waiting, 10_000)
    return `${refused}, ready after ${Math.round(backMs)} ms, the one that waited answered`
  })
}

/** Requests in flight besides the one that asks. */
async function inFlight(service: Service): Promise<number> {
  return (await service.metric('cropvlm_requests_in_flight')) - 1
}

async function hangs(world: World): Promise<string> {
  const service = await world.start({ REQUEST_TIMEOUT_MS: '3000', CROPPER_MODEL: 'models/cropvlm-mini' })
  const [engine = 0] = engineProcesses(service.pid)
  const start = performance.now()
  process.kill(engine, 'SIGSTOP')
  const refused = world.refused(await service.crop(await page()), '504 deadline_exceeded', 4000)
  const unready = await until(async () => (await service.get('/health/ready')).status === 503, 60_000)
  assert.ok(unready !== null, '/health/ready says 200 all the time')
  assert.ok((await until(() => !isAlive(engine), 60_000)) !== null, 'it is not killed')
  const foundMs = performance.now() - start
  world.within(8000, foundMs, 'finding that it hangs')
  const isBack = async () => (await service.crop(await page())).status === 200
  assert.ok((await until(isBack, 60_000)) !== null, 'it does not come back')
  const backMs = performance.now() - start
  return `${refused}; killed after ${Math.round(foundMs)} ms, answers after ${Math.round(backMs)} ms; not ready meanwhile`
}

/** When a new process that has not answered never will, on the busiest machine: until then it loads its models. */
const BACK_MS = 300_000
/** The process may take so much more address space than it has, until the limit is lifted. */
const HEADROOM_MB = 1

async function outOfMemory(world: World): Promise<string> {
  const service = await world.start()
  const [engine = 0] = engineProcesses(service.pid)
  const limit = (bytes: string) => spawnSync('prlimit', ['--pid', String(engine), `--as=${bytes}`]).status === 0
  const large = await flat(7000, 7000).png().toBuffer()
  if (!limit(String(Math.round((memoryMb(engine, 'VmSize') + HEADROOM_MB) * 2 ** 20))))
    throw new Skipped('prlimit of util-linux cannot be used here')
  const reply = await service.crop(large, { return: 'overlay', format: 'png' })
  const refused = world.refused(reply, '503 engine_unavailable', 20_000)
  assert.equal((await service.get('/health/live')).status, 200)
  // one that has been replaced has no limit
  if (isAlive(engine)) limit('unlimited')
  const isBack = async () => (await service.crop(await page())).status === 200
  const backMs = await until(isBack, BACK_MS)
  assert.ok(backMs !== null, 'nothing is answered any more')
  world.within(30_000, backMs, 'the next answer')
  const fate = isAlive(engine) ? 'the process lives on' : 'the process was replaced'
  return `${refused}; ${fate}; the next one answered after ${Math.round(backMs)} ms`
}
