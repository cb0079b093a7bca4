import t from 'tap'
import { CliError, EXIT } from '../../src/cli/command.js'
import { count } from '../../src/cli/program.js'
import { type CommandEntry, command } from '../../src/cli/spec.js'
import { VERSION } from '../../src/version.js'
import { testWorld } from '../support/cli/world.js'

const ran: unknown[] = []

const paint = command({
  name: 'paint',
  summary: 'Paints.',
  details: 'With a brush.',
  arguments: [
    { name: 'WALL', meaning: 'What is painted.' },
    { name: 'COLOUR', meaning: 'With what.', optional: true, repeated: true },
  ],
  options: {
    'two-coats': { meaning: 'Paints twice.' },
    brush: { value: 'N', short: 'b', default: '3', meaning: 'Its width.' },
    finish: { value: 'NAME', choices: ['matt', 'gloss'], meaning: 'Its look.' },
    mix: { value: 'COLOUR', repeated: true, meaning: 'Mixed in.' },
    'env-file': { value: 'FILE', meaning: 'Variables.' },
  },
  examples: [['paint north red', 'Paints it red.']],
  async run(args, options, { envFile }) {
    ran.push({ args, options, envFile })
    if (args[0] === 'window') throw new CliError(EXIT.notFound, 'no wall')
    return args[0] === 'south' ? EXIT.failed : 0
  },
})

const group: CommandEntry = {
  name: 'wall',
  summary: 'Walls.',
  commands: [{ ...paint, name: 'list', arguments: [] }],
}

const COMMANDS = [paint, group]

t.test('arguments, options and their defaults reach the command, and its code comes back', async t => {
  const { run } = testWorld()
  t.equal(await run(COMMANDS, 'paint', 'north'), 0)
  t.same(ran.pop(), {
    args: ['north'],
    options: { 'two-coats': false, brush: '3', finish: undefined, mix: [], 'env-file': undefined },
    envFile: undefined,
  })
  const all = ['--two-coats', '-b', '5', '--finish', 'matt', '--mix', 'a', '--mix', 'b', '--env-file', 'x.env']
  t.equal(await run(COMMANDS, 'paint', 'south', 'red', 'blue', ...all), 1)
  t.same(ran.pop(), {
    args: ['south', 'red', 'blue'],
    options: { 'two-coats': true, brush: '5', finish: 'matt', mix: ['a', 'b'], 'env-file': 'x.env' },
    envFile: 'x.env',
  })
  t.equal(await run(COMMANDS, 'paint', '--', '--north'), 0)
  t.match(ran.pop(), { args: ['--north'] })
  t.equal(await run(COMMANDS, 'wall', 'list', '-b', '7'), 0)
  t.match(ran.pop(), { args: [], options: { brush: '7' } })
  await t.rejects(run(COMMANDS, 'paint', 'window'), { exitCode: 3, message: 'no wall' })
})

t.test('what is wrong is named, with the nearest name: 2', async t => {
  const { run, out, err } = testWorld()
  for (const [argv, message] of [
    [['piant', 'north'], /unknown command 'piant'\n\(Did you mean paint\?\)/],
    [['paint', 'north', '--finsih', 'matt'], /unknown option '--finsih'\n\(Did you mean --finish\?\)/],
    [['paint', 'north', '--finish', 'rough'], /'rough' is invalid. Allowed choices are matt, gloss/],
    [['paint', 'north', '--brush'], /'-b, --brush <N>' argument missing/],
    [['paint'], /missing required argument 'WALL'/],
    [['wall', 'lst'], /unknown command 'lst'\n\(Did you mean list\?\)/],
    [['wall', 'list', 'north'], /too many arguments/],
    [['wall'], /Usage: cropvlm wall[\s\S]*list/],
    [[], /Usage: cropvlm[\s\S]*paint/],
  ] as const) {
    t.equal(await run(COMMANDS, ...argv), 2, argv.join(' '))
    t.match(err(), message)
    t.equal(out(), '')
  }
  t.equal(ran.length, 1, 'of the command that threw, and none since')
})

t.test('--help and --version are printed on stdout: 0', async t => {
  const { run, out, err } = testWorld()
  t.equal(await run(COMMANDS, '--help'), 0)
  t.match(out(), /paint \[options\] <WALL> \[COLOUR\.\.\.\] {2}Paints\.\n {2}wall +Walls\./)
  t.equal(await run(COMMANDS, 'paint', '--help'), 0)
  const help = out()
  t.match(help, /Paints\.\n\nWith a brush\./)
  t.match(help, /-b, --brush <N> +Its width\. \(default: "3"\)/)
  t.match(help, /Examples:\n {2}cropvlm paint north red\n {6}Paints it red\./)
  t.match(help, /Exit status:\n {2}0 {4}done\n[\s\S]* {2}130 {2}stopped by Ctrl\+C/)
  t.equal(await run(COMMANDS, 'wall', 'list', '--help'), 0)
  t.match(out(), /Usage: cropvlm wall list \[options\]/)
  t.equal(await run(COMMANDS, '--version'), 0)
  t.equal(out(), `${VERSION}\n`)
  t.equal(err(), '')
})

t.test('counts', async t => {
  t.equal(count('--n', '12'), 12)
  for (const text of ['0', '-1', '1.5', 'x', ''])
    t.throws(() => count('--n', text), {
      exitCode: 2,
      message: `--n is "${text}", but must be a whole number of 1 or more.`,
    })
})
