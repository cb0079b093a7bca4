import t from 'tap'
import { inheritedExecArgv } from '../../src/engine/exec-argv.js'

t.test('flags are handed on, but for those that say what to run', async t => {
  const kept = ['--enable-source-maps', '--import', './hooks.mjs', '--max-old-space-size=4096', '-r', 'x.cjs']
  t.same(inheritedExecArgv(kept), kept)
  for (const dropped of [
    ['-e', 'startService()'],
    ['--eval=startService()'],
    ['--print', '1'],
    ['-pe', '1'],
    ['--input-type=module', '--eval', 'startService()'],
    ['--input-type', 'module'],
    ['-i'],
    ['--watch', '--watch-path', 'src', '--watch-preserve-output'],
    ['--test', '--test-concurrency=1'],
    ['--inspect-brk=0', '--inspect'],
  ])
    t.same(inheritedExecArgv(['--no-warnings', ...dropped, '--trace-warnings']), ['--no-warnings', '--trace-warnings'])
})
