import t from 'tap'
import { HELP, readOptions } from '../../bench/options.js'
import { CliError } from '../../src/cli/command.js'

t.test('options', async t => {
  t.equal(readOptions(['--help']), null)
  const options = readOptions(['--rounds', '2048=2,512=5', '--load-set', 'ENGINE_PROCESSES=2 THREADS=1'])
  t.match(options, {
    rounds: [
      [512, 5],
      [2048, 2],
    ],
    loadSets: [{ ENGINE_PROCESSES: '2', THREADS: '1' }],
    ours: 'int8',
    parts: ['latency', 'second', 'agreement', 'load', 'processes', 'text', 'proxy'],
  })
  t.match(readOptions(['--device', 'cuda']), { ours: 'fp16', peers: [{ precision: 'fp16' }, { precision: 'bf16' }] })
  t.match(readOptions(['--quick']), { models: ['mini'], parts: ['latency', 'load'] })
  t.same(readOptions([])?.loadSets, [{}, { ENGINE_PROCESSES: '2' }])
  for (const short of [['--quick'], ['--device', 'cuda']]) t.same(readOptions(short)?.loadSets, [{}])
  t.same(readOptions(['--peers', 'none'])?.peers, [])
  for (const [args, message] of [
    [['--only', 'speed'], /--only has "speed"; known are latency/],
    [['--rounds', '512=0'], /--rounds has "0"/],
    [['--peers', 'transformers'], /ENGINE:PRECISION/],
    [['--ours', 'q8'], /--ours is q8, which --precisions has not/],
    [['--load-set', 'THREADS'], /NAME=VALUE/],
    [['--load-rates', '0'], /above 0/],
    [['--fast'], /--fast/],
  ] as const)
    t.throws(() => readOptions(args), message)
  t.throws(() => readOptions(['--fast']), CliError)
  for (const name of ['only', 'quick', 'rounds', 'peers', 'render', 'mini-checkpoint', 'load-set', 'out'])
    t.match(HELP, new RegExp(`^--${name}\\b`, 'm'))
})
