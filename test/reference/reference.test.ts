/** The generated parts of docs/ are what the schemas and tables say now. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { OPTIONS } from '../../src/config/service.js'
import { REPLIES } from '../../src/http/plugins/errors.js'
import { apiReference } from '../../src/reference/api.js'
import { table, withGenerated } from '../../src/reference/markdown.js'
import { pages } from '../../src/reference/pages.js'

t.setTimeout(120_000)

const read = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')

t.test('every page is as `npm run docs` writes it', async t => {
  for (const { file, write } of await pages()) {
    const text = readFileSync(file, 'utf8')
    t.strictSame(text.split('\n'), write(text).split('\n'), `${file}: if not, run \`npm run docs\``)
  }
})

t.test('every variable, every key of a target and every error code has its row', async t => {
  const variables = read('reference/configuration').split('\n')
  for (const { env } of OPTIONS) t.equal(variables.filter(line => line.startsWith(`| \`${env}\` |`)).length, 1, env)
  t.match(variables.join('\n'), /^\| `api_key_env` \| endpoint \|/m)
  const errors = read('reference/errors').split('\n')
  for (const code of Object.keys(REPLIES))
    t.equal(errors.filter(line => line.startsWith(`| \`${code}\` |`)).length, 1, code)
})

t.test('a route with its fields and replies', async t => {
  const file = { type: 'string', description: 'A file.' }
  const max = { type: 'integer', minimum: 1, default: 4 }
  const body = (image: object) => ({ schema: { required: ['image'], properties: { image, max } } })
  const lines = apiReference({
    paths: {
      '/crop': {
        post: {
          summary: 'A box',
          requestBody: { content: { form: body(file), json: body({ $ref: '#/components/schemas/Link' }) } },
          responses: {
            200: { description: 'Done.', content: { json: { schema: { oneOf: [{ enum: ['a', 'b'] }] } } } },
          },
        },
      },
    },
    components: { schemas: { Link: { description: 'Where.', properties: { all: { type: 'array', items: file } } } } },
  })
  t.strictSame(lines, [
    '## POST /crop',
    '',
    '**A box.**',
    '',
    'The body is `form` or `json`.',
    '',
    '| field | type | default | meaning |',
    '|---|---|---|---|',
    '| `image` in `form` | string, required |  | A file. |',
    '| `image` in `json` | [Link](#link), required |  |  |',
    '| `max` | integer, at least 1 | `4` |  |',
    '',
    '| status | reply | meaning |',
    '|---|---|---|',
    '| 200 | `a`, `b` | Done. |',
    '',
    '## Schemas',
    '',
    '### Link',
    '',
    'Where.',
    '',
    '| field | type | default | meaning |',
    '|---|---|---|---|',
    '| `all` | array of string |  |  |',
  ])
})

t.test('every metric has its row', async t => {
  const rows = read('operate/observe')
  t.match(rows, '| `cropvlm_requests_total` | counter | ')
  t.match(rows, '| `cropvlm_stage_duration_seconds` | histogram | ')
})

t.test('marks and cells', async t => {
  t.throws(() => withGenerated('# CropVLM', []), /npm run docs/)
  t.equal(table(['a'], [['x|y <z>']])[2], '| x\\|y \\<z> |')
})
