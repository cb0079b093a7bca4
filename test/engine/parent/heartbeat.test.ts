import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { Heartbeat } from '../../../src/engine/parent/heartbeat.js'
import { runDelayMs } from '../../../src/engine/parent/run-delay.js'

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
  let waited = 1000
  const started = performance.now()
  const beats = listen(
    () => false,
    () => waited + performance.now() - started,
  )
  await until(() => beats.asked() > 0)
  await sleep(200)
  t.equal(beats.silent(), 0, 'all of its silence was waiting')
  waited -= 500
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
    const before = runDelayMs(process.pid)
    // more threads that work than any machine has cores for each of them at once
    const spin = 'for (const end = Date.now() + 200; Date.now() < end;);'
    await Promise.all(Array.from({ length: 64 }, () => once(new Worker(spin, { eval: true }), 'exit')))
    t.ok(runDelayMs(process.pid) >= before)
    t.ok(runDelayMs(process.pid) > 0)
    t.equal(runDelayMs(2 ** 30), 0, 'a process that is not there')
  },
)
