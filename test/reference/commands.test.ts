import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands/commands.js'
import { type CommandEntry, command, isGroup } from '../../src/cli/spec.js'
import { commandsReference } from '../../src/reference/commands.js'
import { ROOT } from '../support/deploy-files.js'

t.test('docs/reference/commands.md has every command and option', async t => {
  const found = readFileSync(join(ROOT, 'docs/reference/commands.md'), 'utf8')
  const all = COMMANDS.flatMap((entry: CommandEntry) => (isGroup(entry) ? entry.commands : [entry]))
  t.ok(all.length > 5)
  for (const { name, options } of all) {
    t.match(found, new RegExp(`^##+ cropvlm (\\w+ )?${name}$`, 'm'))
    for (const option of Object.keys(options)) t.match(found, `--${option}`)
  }
  t.match(found, '| 130 | stopped by Ctrl+C (SIGINT) |')
})

t.test('nothing in it is taken for HTML, a template or the end of a cell', async t => {
  const odd = command({
    name: 'odd',
    summary: 'Reads <input> | {{ x }}.',
    arguments: [{ name: 'FILE', meaning: 'a|b', optional: true }],
    options: { way: { value: 'A|B', choices: ['a', 'b'], default: 'a', repeated: true, meaning: 'One <way>.' } },
    examples: [['odd x', 'Does it.']],
    async run() {
      return 0
    },
  })
  const group = { name: 'all', summary: 'All.', commands: [odd] }
  const lines = commandsReference([group])
  t.strictSame(lines.slice(0, lines.indexOf('## Exit status')), [
    '| command | does |',
    '|---|---|',
    '| [`all`](#cropvlm-all) | All. |',
    '',
    '## cropvlm all',
    '',
    'All.',
    '',
    '### cropvlm all odd',
    '',
    'Reads \\<input> | \\{\\{ x }}.',
    '',
    '```text',
    'cropvlm all odd [options] [FILE]',
    '```',
    '',
    '| argument | meaning |',
    '|---|---|',
    '| `[FILE]` | a\\|b |',
    '',
    '| option | meaning |',
    '|---|---|',
    '| `--way <A\\|B>` | One \\<way>. One of `a`, `b`. Default: `a`. May be repeated. |',
    '',
    '```sh',
    '# Does it.',
    'cropvlm odd x',
    '```',
    '',
  ])
})
