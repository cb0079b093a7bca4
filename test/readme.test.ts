import { readFileSync } from 'node:fs'
import t from 'tap'
import { withConfiguration } from '../src/config/documentation.js'
import { OPTIONS } from '../src/config/service.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

t.test(
  'the README lists every environment variable and every key of a target, as `npm run docs` writes them',
  async t => {
    const found = readme.split('\n')
    t.strictSame(found, withConfiguration(readme).split('\n'), 'if not, run `npm run docs`')
    for (const { env } of OPTIONS) t.equal(found.filter(line => line.startsWith(`| \`${env}\` |`)).length, 1, env)
    t.match(found.join('\n'), /^\| `api_key_env` \| endpoint \|/m)
  },
)

t.test('a README without the marks is not written', async t => {
  t.throws(() => withConfiguration('# CropVLM'), /npm run docs/)
})
