/** The table of servers in docs/guide/targets.md: each line is run by a shell, and the service reads what it sets. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'

const PAGE = readFileSync(new URL('../../docs/guide/targets.md', import.meta.url), 'utf8')
const ROW = /^\| (.+) \| `([^`]+ npm start)` \| `([\w.-]+)`: (\d+), (\d+) \|$/gm
/** What stands in place of `npm`: it prints its environment. */
const PRINTS = `#!${process.execPath}\nconsole.log(JSON.stringify(process.env))\n`

const rows = [...PAGE.matchAll(ROW)].map(([, server = '', line = '', profile = '', full = '', crop = '']) => ({
  server: server.replaceAll('`', ''),
  line,
  shown: { profile, fullEdge: Number(full), cropEdge: Number(crop) },
}))

t.test('the page has a line for each kind of server', async t => {
  const kinds = ['vLLM', 'Ollama', 'llama.cpp', 'transformers serve', 'OpenAI, GPT-4.1', 'OpenAI, GPT-5', 'Azure']
  for (const kind of [...kinds, 'Gemini', 'OpenRouter', 'LiteLLM'])
    t.equal(rows.filter(({ server }) => server.startsWith(kind)).length, 1, kind)
})

for (const { server, line, shown } of rows)
  t.test(server, async t => {
    const folder = t.testdir({ npm: PRINTS })
    chmodSync(`${folder}/npm`, 0o755)
    const keys = [...line.matchAll(/\$(\w+)/g)].map(([, name = '']) => [name, `value-of-${name}`] as const)
    const env = { PATH: folder, ...Object.fromEntries(keys) }
    const printed = execFileSync('/bin/sh', ['-c', line], { env, encoding: 'utf8' })
    const { targets } = readConfig(JSON.parse(printed))
    const [target] = targets
    t.match(targets, [{ kind: 'openai', ...shown }])
    t.equal(targets.length, 1)
    for (const [, value] of keys) t.match(JSON.stringify(target), value, 'it gets the key')
  })
