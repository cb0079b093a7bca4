import { type ChildProcess, spawn } from 'node:child_process'
import t, { type Test } from 'tap'
import { heldBytes } from '../../src/process/held-memory.js'
import { MemoryWatch, tooMuchMemory } from '../../src/process/memory-watch.js'

const onlyLinux = { skip: process.platform === 'linux' ? false : 'Linux alone tells' }
const MIB = 2 ** 20

/** A process that takes so many bytes and stays. */
async function holding(t: Test, bytes: number): Promise<ChildProcess> {
  const script = `const taken = Buffer.alloc(${bytes}, 1); console.log(taken.length); setInterval(() => {}, 1e6)`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise(resolve => child.stdout?.once('data', resolve))
  return child
}

t.test('what a process holds for itself', onlyLinux, async t => {
  const { pid = 0 } = await holding(t, 300 * MIB)
  const held = heldBytes(pid) ?? 0
  t.ok(held > 300 * MIB && held < 500 * MIB, `${held}`)
  t.equal(heldBytes(2 ** 22 + 1), null, 'no such process')
})

t.test('too much is told once, with how much', onlyLinux, async t => {
  const { pid = 0 } = await holding(t, 300 * MIB)
  let told = 0
  const bytes = await new Promise<number>(resolve => {
    new MemoryWatch(
      () => pid,
      250 * MIB,
      5,
      held => {
        told += 1
        resolve(held)
      },
    )
    // the watch itself keeps no process alive
    setTimeout(() => {}, 60_000).unref()
    const alive = setInterval(() => told > 0 && clearInterval(alive), 5)
  })
  t.ok(bytes > 300 * MIB)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(told, 1)
})

t.test('as much as it may is nothing to tell, nor what is stopped', onlyLinux, async t => {
  const { pid = 0 } = await holding(t, 10 * MIB)
  let told = 0
  const onOver = () => {
    told += 1
  }
  const watches = [new MemoryWatch(() => pid, 2000 * MIB, 5, onOver), new MemoryWatch(() => pid, 1, 1e6, onOver)]
  watches[1]?.stop()
  watches[1]?.every(1e6)
  await new Promise(resolve => setTimeout(resolve, 50))
  for (const watch of watches) watch.stop()
  t.equal(told, 0)
})

t.test('a process that has another id later is watched by that', onlyLinux, async t => {
  const { pid: small } = await holding(t, MIB)
  const { pid = 0 } = await holding(t, 300 * MIB)
  let asked = 0
  const bytes = await new Promise<number>(resolve => {
    // at first there is none, then one that holds little, as the program that makes a sandbox
    const ids = [undefined, small, pid]
    new MemoryWatch(() => ids[Math.min(asked++, 2)], 250 * MIB, 5, resolve)
    const alive = setInterval(() => asked > 100 && clearInterval(alive), 5)
    t.teardown(() => clearInterval(alive))
  })
  t.ok(bytes > 300 * MIB)
  t.ok(asked >= 3)
})

t.test('the words', async t => {
  t.equal(tooMuchMemory(300 * MIB, 200 * MIB), 'took 300 MiB of memory, more than MODEL_MEMORY_LIMIT (200 MiB),')
})
