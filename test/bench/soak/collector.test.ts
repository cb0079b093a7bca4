/** Garbage is collected in every thread of another process. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Collector, INSPECTABLE } from '../../../bench/soak/measure/collector.js'

/** Two threads, each of which says so once V8 has collected an object that nobody holds. Neither makes any garbage to speak of. */
const PROGRAM = `
import { isMainThread, Worker } from 'node:worker_threads'
const makeGarbage = () => new WeakRef(new Array(1000).fill(0))
const garbage = makeGarbage()
let isThere = true
setInterval(() => {
  if (isThere && garbage.deref() === undefined) {
    isThere = false
    console.error(isMainThread ? 'main collected' : 'thread collected')
  }
}, 50)
if (isMainThread) new Worker(new URL(import.meta.url))
else console.error('ready')
`

t.setTimeout(30_000)

t.test('in the main thread and in a worker, once and again', async t => {
  const dir = t.testdir({ 'program.mjs': PROGRAM, log: '' })
  const log = `${dir}/log`
  const heard = () => readFileSync(log, 'utf8')
  const child = spawn(process.execPath, [`${dir}/program.mjs`], {
    stdio: ['ignore', 'ignore', openSync(log, 'a')],
    env: { ...process.env, ...INSPECTABLE },
  })
  t.teardown(() => child.kill())
  while (!heard().includes('ready')) await sleep(20)
  await sleep(300)
  t.notMatch(heard(), /collected/)
  const collector = new Collector(log)
  await collector.collect(child.pid as number)
  while (!/main collected/.test(heard()) || !/thread collected/.test(heard())) await sleep(20)
  await t.resolves(collector.collect(child.pid as number))
  collector.close()
})

t.test('a process without an inspector', async t => {
  const dir = t.testdir({ log: '' })
  writeFileSync(`${dir}/log`, 'Debugger listening on ws://127.0.0.1:1/of-another\n')
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  t.teardown(() => child.kill())
  await t.rejects(new Collector(`${dir}/log`, 300).collect(child.pid as number), {
    message: /has started no inspector within 300 ms/,
  })
})
