import t from 'tap'
import { isEventStream, joinEvents } from '../../../src/openai/reply/event-stream.js'

const data = (chunk: unknown) => `data: ${JSON.stringify(chunk)}\n\n`
const delta = (delta: object, more = {}) => data({ choices: [{ index: 0, delta, ...more }] })

t.test('what an event stream begins with', async t => {
  for (const text of ['data: {}', '\n\ndata:{}', ': keep-alive\n\ndata: {}', 'event: error\ndata: {}', 'id: 1'])
    t.ok(isEventStream(text), text)
  for (const text of ['', '{"data": 1}', '<html>', 'database: x', 'Internal Server Error'])
    t.notOk(isEventStream(text), text)
})

t.test('texts, parts, calls, log-probabilities and usage add up', async t => {
  const token = (text: string) => ({ logprobs: { content: [{ token: text, logprob: -1 }] } })
  const call = (index: number, called: object) => ({ tool_calls: [{ index, function: called }] })
  const text = [
    delta({ role: 'assistant', content: '' }),
    delta({ content: 'a' }, token('a')),
    delta({ content: [{ type: 'text', text: 'b' }] }, token('b')),
    data({ choices: [{ index: 1, delta: { content: 'another choice' } }] }),
    delta({ reasoning: 'c' }),
    delta({ reasoning: 'd', refusal: 'e' }),
    delta(call(0, { name: 'zoom', arguments: '{"x":' })),
    delta(call(0, { arguments: '1}' })),
    delta(call(1, { name: 'look', arguments: '{}' })),
    data({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 2 } }),
    delta({}, { finish_reason: 'tool_calls' }),
  ].join('')
  t.same(joinEvents(text), {
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: {
          role: 'assistant',
          content: [
            { type: 'text', text: '' },
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
          reasoning: 'cd',
          refusal: 'e',
          tool_calls: [
            { type: 'function', function: { name: 'zoom', arguments: '{"x":1}' } },
            { type: 'function', function: { name: 'look', arguments: '{}' } },
          ],
        },
        logprobs: {
          content: [
            { token: 'a', logprob: -1 },
            { token: 'b', logprob: -1 },
          ],
        },
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  })
})

t.test('an end is said by [DONE] or by a finish_reason; without one the stream broke off', async t => {
  const content = (text: string) =>
    (joinEvents(text) as unknown as { choices: [{ message: { content: string } }] }).choices[0].message
  t.match(content(`${delta({ content: 'a' })}data: [DONE]\n\n${delta({ content: 'b' })}`), { content: 'a' })
  t.match(content(delta({ content: 'a' }, { finish_reason: 'stop' })), { content: 'a' })
  // the last event may lack its blank line, and data may have several lines
  t.match(content('data: {"choices":\ndata: [{"delta": {"content": "a"}, "finish_reason": "stop"}]}'), { content: 'a' })
  t.throws(() => joinEvents(delta({ content: 'a' })), { name: 'OddReply', message: /breaks off/ })
  t.throws(() => joinEvents('data: {"choices\n\n'), { name: 'OddReply', message: /no JSON/ })
  t.match(joinEvents('data: [DONE]'), { choices: [] })
  t.match(joinEvents('data: null\n\ndata: 7\n\ndata: [DONE]'), { choices: [] })
})

t.test('an index that no call can have is the next', async t => {
  const call = (index: unknown) => delta({ tool_calls: [{ index, function: { name: 'a' } }, null] })
  const joined = joinEvents(`${call(1e9)}${call(-1)}${call('x')}data: [DONE]`)
  t.ok(JSON.stringify(joined).length < 1000)
})
