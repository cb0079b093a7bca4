import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/deploy-files.js'

/** A command as a process of its own, through the TypeScript loader that this test runs under. */
function run(command: string, ...args: string[]) {
  const script = join(ROOT, 'src/cli', `${command}.ts`)
  return spawnSync(process.execPath, [...process.execArgv, script, ...args], { encoding: 'utf8' })
}

// starts processes, which takes its time on a busy machine
t.setTimeout(180_000)

t.test('commands as processes: status, stdout and stderr', async t => {
  t.match(run('models', '--help'), { status: 0, stdout: /npm run models -- pull/, stderr: '' })
  t.match(run('models', 'pull', 'no id'), { status: 2, stdout: '', stderr: /^no id is no hub id; .*\n$/ })
  t.match(run('eval', '--help'), { status: 0, stdout: /npm run eval -- --data DIR/, stderr: '' })
  t.match(run('eval', '--data', '/nowhere'), {
    status: 2,
    stdout: '',
    stderr: /^\/nowhere\/manifest\.jsonl cannot be read .*\n$/,
  })
})
