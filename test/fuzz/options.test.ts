import { availableParallelism } from 'node:os'
import t from 'tap'
import { HELP, readOptions } from '../../fuzz/options.js'
import { TARGET_NAMES } from '../../fuzz/targets.js'

t.test('what is asked for', async t => {
  t.same(readOptions([]), { seconds: 30, targets: TARGET_NAMES, jobs: availableParallelism(), input: null })
  t.same(
    readOptions(['--seconds', '3600', '--target', 'image', '--target', 'base64', '--target', 'image', '--jobs=3']),
    {
      seconds: 3600,
      targets: ['image', 'base64'],
      jobs: 3,
      input: null,
    },
  )
  t.same(readOptions(['--target', 'image', '--input', 'a.png'])?.input, 'a.png')
  t.equal(readOptions(['--help']), null)
  t.match(HELP, /align, base64/)
})

t.test('what is wrong, and the help with it', async t => {
  for (const [args, message] of [
    [['--seconds', '0'], /--seconds has "0", but must have a whole number/],
    [['--seconds', '1e3'], /--seconds has "1e3"/],
    [['--jobs', '-1'], /--jobs/],
    [['--target', 'png'], /--target has "png"; there are align, /],
    [['--input', 'x'], /--input needs the one --target/],
    [['--fast'], /--fast/],
  ] as const)
    t.throws(() => readOptions(args), { exitCode: 2, message })
})
