import t from 'tap'
import { CliError, EXIT } from '../../../src/cli/command.js'
import { serve } from '../../../src/cli/commands/serve.js'
import { OPTIONS } from '../../../src/config/service.js'
import { testWorld } from '../../support/cli/world.js'

// what it does is tested with the program itself, in test/cli/main.test.ts
t.test('each option names the variable that it sets, and that is one of the service', async t => {
  const known = OPTIONS.map(({ env }) => env)
  const options = Object.entries(serve.options).filter(([name]) => name !== 'env-file')
  t.ok(options.length > 8)
  for (const [name, { meaning }] of options) {
    const variable = /\(([A-Z_]+)\)\./.exec(meaning)?.[1]
    t.ok(known.includes(variable ?? ''), `--${name}: ${variable}`)
  }
})

t.test('a signal that came while its modules were loaded ends it', async t => {
  const { world } = testWorld({
    cwd: t.testdir(),
    signal: AbortSignal.abort(new CliError(EXIT.terminated, 'Stopped.')),
  })
  const options = Object.fromEntries(Object.keys(serve.options).map(name => [name, undefined]))
  await t.rejects(async () => serve.run([], options as never, world), { exitCode: 143, message: 'Stopped.' })
})
