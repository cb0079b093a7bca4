import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/cli/commands/commands.js'
import { reference } from '../../src/cli/reference.js'
import { type CommandEntry, command, isGroup } from '../../src/cli/spec.js'
import { ROOT } from '../support/deploy-files.js'

t.test('docs/commands.md is what the table says', async t => {
  const found = readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')
  t.strictSame(found.split('\n'), reference(COMMANDS).split('\n'), 'if not, run `npm run docs`')
  const all = COMMANDS.flatMap((entry: CommandEntry) => (isGroup(entry) ? entry.commands : [entry]))
  for (const { name, options } of all) {
    t.match(found, new RegExp(`^##+ cropvlm (\\w+ )?${name}$`, 'm'))
    for (const option of Object.keys(options)) t.match(found, `--${option}`)
  }
})

t.test('nothing in it is taken for HTML, a template or the end of a cell', async t => {
  const odd = command({
    name: 'odd',
    summary: 'Reads <input> | {{ x }}.',
    arguments: [{ name: 'FILE', meaning: 'a|b', optional: true }],
    options: { way: { value: 'A|B', choices: ['a', 'b'], default: 'a', repeated: true, meaning: 'One <way>.' } },
    async run() {
      return 0
    },
  })
  const text = reference([odd])
  t.match(text, '| [`odd`](#cropvlm-odd) | Reads \\<input> \\| \\{\\{ x }}. |')
  t.match(text, '| `[FILE]` | a\\|b |')
  t.match(text, '| `--way <A\\|B>` | One \\<way>. One of `a`, `b`. Default: `a`. May be repeated. |')
})
