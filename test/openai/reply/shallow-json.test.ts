import t from 'tap'
import { OddReply } from '../../../src/openai/reply/bounded-text.js'
import { parseShallow } from '../../../src/openai/reply/shallow-json.js'

t.test('the value, or why there is none', async t => {
  t.same(parseShallow('{"a": [1]}'), { a: [1] })
  t.throws(() => parseShallow('{'), SyntaxError)
  const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`
  t.throws(() => parseShallow(deep), new OddReply('its JSON nests over 100 levels deep'))
})
