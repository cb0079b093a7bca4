import t from 'tap'
import { readMessage } from '../../../src/openai/reply/message.js'

const read = (message: unknown, more = {}) => readMessage({ choices: [{ message, ...more }] })

t.test('what there is, and nothing else', async t => {
  t.same(read({ content: ' a ' }), {
    content: ' a ',
    reasoning: null,
    refusal: null,
    finishReason: null,
    calls: [],
    logprobs: null,
    usage: null,
  })
  for (const reply of [null, 1, 'x', [], {}, { choices: {} }, { choices: [] }, { choices: [null] }, { choices: [{}] }])
    t.equal(readMessage(reply), null, JSON.stringify(reply))
  t.equal(read('a text'), null)
})

t.test('a content of any kind', async t => {
  const rows: [content: unknown, text: string][] = [
    [null, ''],
    [7, ''],
    [{ text: 'x' }, ''],
    [
      [
        'a',
        { type: 'text', text: 'b' },
        null,
        7,
        { type: 'image_url' },
        { text: 7 },
        { type: 'output_text', text: 'c' },
      ],
      'abc',
    ],
  ]
  for (const [content, text] of rows) t.equal(read({ content })?.content, text, JSON.stringify(content))
  const parts = [
    { type: 'thinking', thinking: 'one' },
    { type: 'thinking', thinking: [{ text: 'two' }] },
  ]
  t.match(read({ content: [...parts, { type: 'refusal', refusal: 'no' }] }), {
    content: '',
    reasoning: 'one\ntwo',
    refusal: 'no',
  })
})

t.test('why it stopped', async t => {
  t.equal(read({}, { finish_reason: 'stop' })?.finishReason, 'stop')
  t.equal(read({}, { finish_reason: 7 })?.finishReason, null)
  t.equal(read({}, { finish_reason: 'x'.repeat(500) })?.finishReason?.length, 64)
})

t.test('calls, in both forms, and odd ones', async t => {
  const named = (name: unknown, given: unknown = '{}') => ({ function: { name, arguments: given } })
  t.same(read({ tool_calls: [named('zoom', { a: 1 }), named('rm -rf'), named(7, 7), null, {}] })?.calls, [
    { name: 'zoom', arguments: '{"a":1}' },
    { name: null, arguments: '{}' },
    { name: null, arguments: null },
  ])
  t.same(read({ function_call: { name: 'zoom', arguments: '{}' } })?.calls, [{ name: 'zoom', arguments: '{}' }])
})
