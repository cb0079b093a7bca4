import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { lock } from '../../../../src/cli/batch/output/lock.js'

const host = encodeURIComponent(hostname())

t.test('a lock is held until it is released', async t => {
  const dir = t.testdir({})
  const file = join(dir, 'out.jsonl')
  const held = await lock(file)
  await t.rejects(lock(file), { exitCode: 1, message: new RegExp(`process ${process.pid} writes to`) })
  await (await lock(join(dir, 'other.jsonl'))).release()
  await held.release()
  await (await lock(file)).release()
  t.same(readdirSync(dir), [])
})

t.test('a dead process holds none', async t => {
  const dir = t.testdir({})
  const file = join(dir, 'out.jsonl')
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  writeFileSync(join(dir, `out.jsonl.${host}.${child.pid}.unknown.lock`), '')
  await t.rejects(lock(file), { exitCode: 1, message: new RegExp(`process ${child.pid} writes`) })
  t.equal(readdirSync(dir).length, 1, 'the one that was refused leaves nothing')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const held = await lock(file)
  t.same(
    readdirSync(dir).filter(name => name.includes(`.${child.pid}.`)),
    [],
  )
  await held.release()
})

t.test(
  'nor does one whose number another process has now',
  { skip: process.platform !== 'linux' && 'no /proc' },
  async t => {
    const dir = t.testdir({})
    writeFileSync(join(dir, `out.${host}.${process.pid}.17.lock`), '')
    await (await lock(join(dir, 'out'))).release()
    t.same(readdirSync(dir), [])
  },
)

t.test('a process of another machine cannot be looked at', async t => {
  const dir = t.testdir({ 'out.elsewhere.example.17.99.lock': '', 'out.note.lock': '', 'out2.x.1.1.lock': '' })
  await t.rejects(lock(join(dir, 'out')), {
    exitCode: 1,
    message: /a process on elsewhere\.example writes .* remove .*out\.elsewhere\.example\.17\.99\.lock/,
  })
})
