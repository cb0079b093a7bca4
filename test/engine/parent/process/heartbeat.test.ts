import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Heartbeat } from '../../../../src/engine/parent/process/heartbeat.js'
import { RunDelay } from '../../../../src/engine/parent/process/run-delay.js'

/** A heartbeat of 50 ms. */
function listen(answer: (asked: number) => boolean, waitedMs = () => 0) {
  let asked = 0
  let silent = 0
  const heartbeat: Heartbeat = new Heartbeat(50, {
    ask: () => {
      asked += 1
      if (answer(asked)) heartbeat.heard()
    },
    waitedMs,
    onSilent: () => {
      silent += 1
    },
  })
  return { heartbeat, asked: () => asked, silent: () => silent }
}

const until = async (done: () => boolean) => {
  while (!done()) await sleep(5)
}

t.test('a process that answers lives; one that stops to answer is silent, once', async t => {
  const beats = listen(asked => asked < 5)
  await until(() => beats.silent() > 0)
  t.equal(beats.asked(), 5)
  await sleep(100)
  t.equal(beats.silent(), 1)
})

t.test('what it waited for a core does not count', async t => {
  let isWaiting = true
  let last = 0
  const beats = listen(
    () => false,
    () => {
      const since = performance.now() - last
      last += since
      return isWaiting ? since : 0
    },
  )
  await until(() => beats.asked() > 0)
  await sleep(200)
  t.equal(beats.silent(), 0, 'all of its silence was waiting, but what it had waited before')
  isWaiting = false
  await until(() => beats.silent() > 0)
})

t.test('one that is stopped says nothing more', async t => {
  const beats = listen(() => false)
  beats.heartbeat.stop()
  await sleep(100)
  t.same([beats.asked(), beats.silent()], [0, 0])
})

t.test(
  'the wait of a thread of this process is known',
  { skip: process.platform === 'linux' ? false : 'Linux alone tells' },
  async t => {
    const delay = new RunDelay(process.pid)
    // more threads at work than there are cores
    const spin = 'for (const end = Date.now() + 200; Date.now() < end;);'
    const spun = Promise.all(
      Array.from({ length: 4 * availableParallelism() }, () => once(new Worker(spin, { eval: true }), 'exit')),
    )
    await sleep(100)
    t.ok(delay.sinceLastMs() > 0)
    await spun
    t.equal(new RunDelay(2 ** 30).sinceLastMs(), 0, 'a process that is not there')
  },
)

t.test('a wait counts in any thread, not only in the one that has waited longest before', async t => {
  const waits = (main: number, pool: number) => ({ 7: { schedstat: `1 ${main} 1` }, 8: { schedstat: `1 ${pool} 1` } })
  const proc = (main: number, pool: number) => t.testdir({ 7: { task: waits(main, pool) } })
  const delay = new RunDelay(7, proc(1e9, 100e9))
  t.equal(delay.sinceLastMs(), 100_000)
  proc(4e9, 101e9)
  t.equal(delay.sinceLastMs(), 3000)
  proc(4e9, 101e9)
  t.equal(delay.sinceLastMs(), 0)
})
