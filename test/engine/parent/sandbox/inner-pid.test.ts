import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { innerPid } from '../../../../src/engine/parent/sandbox/inner-pid.js'

t.test('the id of the child of the only child, while there is one', async t => {
  const outer = spawn('sh', ['-c', `sh -c 'sh -c "echo \\$\\$; exec cat"; :'; :`])
  const [line] = await once(outer.stdout, 'data')
  t.equal(innerPid(outer.pid as number), Number(line))
  outer.stdin.end()
  await once(outer, 'close')
  t.equal(innerPid(outer.pid as number), null)
})
