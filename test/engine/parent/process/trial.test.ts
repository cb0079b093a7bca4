import { spawn } from 'node:child_process'
import t, { type Test } from 'tap'
import { Trial } from '../../../../src/engine/parent/process/trial.js'

/** A process that runs a script, and its id. */
function running(t: Test, script: string): number {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  return child.pid ?? 0
}

/** How a trial of the process ends, within these limits. */
function ended(pid: number, limits: { bytes: number; ms: number }): Promise<string> {
  return new Promise(resolve => {
    // the trial itself keeps no process alive
    const alive = setTimeout(() => resolve('not at all'), 60_000)
    const onOver = (how: string) => {
      clearTimeout(alive)
      resolve(how)
    }
    new Trial(() => pid, onOver, limits)
  })
}

t.test('a trial ends with what goes beyond its time or its memory', async t => {
  const large = { bytes: 2 ** 40, ms: 300 }
  t.equal(await ended(running(t, 'for (;;);'), large), 'took longer than 0.3 s')
  t.equal(await ended(0, large), 'took longer than 0.3 s', 'where the system does not tell of memory')
  if (process.platform !== 'linux') return
  const grows = 'const all = []; for (;;) all.push(Buffer.alloc(1e6, 1))'
  t.equal(await ended(running(t, grows), { bytes: 100 * 2 ** 20, ms: 60_000 }), 'took more than 100 MiB of memory')
})

t.test('one that is over in time is ended by nobody', async t => {
  let told = ''
  const pid = running(t, 'for (;;);')
  const trial = new Trial(
    () => pid,
    how => {
      told = how
    },
    { bytes: 2 ** 40, ms: 50 },
  )
  trial.end()
  await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(told, '')
})
