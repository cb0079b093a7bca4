import t from 'tap'
import { HELP, readOptions } from '../../../bench/soak/options.js'
import { CliError } from '../../../src/cli/command.js'

t.test('options', async t => {
  t.equal(readOptions(['--help']), null)
  t.match(readOptions([]), { seconds: 3600, cropper: 'text', callers: 4, fillFiles: 600, seed: 1, collects: false })
  t.match(readOptions([])?.csv, /bench\/\.cache\/soak-text\.csv$/)
  t.match(readOptions(['--hours', '0.5', '--cropper', 'onnx']), { seconds: 1800, cropper: 'onnx' })
  t.match(readOptions(['--minutes', '2', '--seed', '7', '--csv', 'a.csv', '--fill', '10', '--callers', '9']), {
    seconds: 120,
    seed: 7,
    csv: 'a.csv',
    serviceLog: 'a.log',
    fillFiles: 10,
    callers: 9,
  })
  for (const [args, message] of [
    [['--hours', '1', '--minutes', '1'], /--hours or --minutes, not both/],
    [['--hours', '0'], /--hours is "0"; a number above 0/],
    [['--seed', '1.5'], /--seed is "1.5"; a whole number/],
    [['--cropper', 'openai'], /--cropper is "openai"; known are text, onnx/],
    [['--days', '1'], /--days/],
  ] as const)
    t.throws(() => readOptions(args), message)
  t.throws(() => readOptions(['--hours', 'x']), CliError)
  for (const name of ['hours', 'minutes', 'cropper', 'callers', 'fill', 'seed', 'collect', 'csv'])
    t.match(HELP, new RegExp(`^--${name}\\b`, 'm'))
})
