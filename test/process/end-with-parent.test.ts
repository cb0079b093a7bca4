import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { compiledService } from '../support/compiled.js'
import { gone } from '../support/processes.js'

t.setTimeout(120_000)

const module = join(compiledService(), 'process/end-with-parent.js')

for (const [what, work] of [
  ['waits', 'setInterval(() => {}, 1e6)'],
  ['never reads a message', 'for (;;);'],
] as const)
  t.test(`a child that ${what} ends with a parent that was killed, and its folder is removed`, async t => {
    const folder = t.testdir({ scratch: { 'graph.onnx': 'half of it' } })
    const child = `
      import { endWithParent } from ${JSON.stringify(module)}
      endWithParent(process.ppid, ${JSON.stringify(`${folder}/scratch`)})
      process.stdout.write(process.pid + '\\n', () => { ${work} })`
    // the child's output is that of the parent, so that it can still be read afterwards
    const parent = `
      import { spawn } from 'node:child_process'
      spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}], { stdio: 'inherit' })
      setInterval(() => {}, 1e6)`
    const { NODE_OPTIONS: _, ...env } = process.env
    const started = spawn(process.execPath, ['--input-type=module', '-e', parent], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env,
    })
    const [pid] = (await createInterface({ input: started.stdout })[Symbol.asyncIterator]().next()).value.split(' ')
    t.teardown(() => {
      try {
        process.kill(Number(pid), 'SIGKILL')
      } catch {
        // as it should be
      }
    })
    started.kill('SIGKILL')
    await gone(Number(pid))
    t.notOk(existsSync(`${folder}/scratch`))
    t.ok(existsSync(folder))
  })
