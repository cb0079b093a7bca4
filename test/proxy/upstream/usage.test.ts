import t from 'tap'
import { Tail, usageIn } from '../../../src/proxy/upstream/usage.js'

const usage = (text: string) => usageIn(Buffer.from(text))

t.test('usage of a completion, a stream, Responses and Anthropic', async t => {
  t.strictSame(usage('{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"details":{"a":1}}}'), {
    prompt: 7,
    completion: 2,
  })
  const stream =
    'data: {"usage":null}\n\ndata: {"choices":[],"usage" : {"prompt_tokens":7,"completion_tokens":0}}\n\ndata: [DONE]\n\n'
  t.strictSame(usage(stream), { prompt: 7, completion: 0 })
  t.strictSame(usage('{"usage":{"input_tokens":3,"output_tokens":4},"user":null,"metadata":{}}'), {
    prompt: 3,
    completion: 4,
  })
  const late = 'data: {"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\ndata: {"usage":null}\n\n'
  t.strictSame(usage(late), { prompt: 1, completion: 1 })
})

t.test('what is none', async t => {
  for (const text of [
    '',
    '{"content":"\\"usage\\":{\\"prompt_tokens\\":1,\\"completion_tokens\\":1}"}',
    '{"usage":{"prompt_tokens":"1","completion_tokens":1}}',
    '{"usage":{"prompt_tokens":1}}',
    '{"usage":{"prompt_tokens":1,"completion_',
    '"usage"',
  ])
    t.equal(usage(text), null, text)
})

t.test('the last 16 KiB of a reply, however it is cut', async t => {
  const text = Array.from({ length: 10_000 }, (_, i) => `${i},`).join('')
  const exact = new Tail(5)
  for (const part of ['abc', 'de']) exact.push(Buffer.from(part))
  t.equal(exact.bytes().toString(), 'abcde')
  t.equal(new Tail(0).bytes().length, 0)
  for (const size of [1, 7, 1000, 16_384, 20_000, text.length]) {
    const tail = new Tail()
    for (let at = 0; at < text.length; at += size) tail.push(Buffer.from(text.slice(at, at + size)))
    t.equal(tail.bytes().toString(), text.slice(-16_384), String(size))
    const known = new Tail(text.length)
    for (let at = 0; at < text.length; at += size) known.push(Buffer.from(text.slice(at, at + size)))
    t.equal(known.bytes().toString(), text.slice(-16_384), `${size}, of a known length`)
  }
  const short = new Tail()
  short.push(Buffer.from('ab'))
  short.push(Buffer.from('c'))
  t.equal(short.bytes().toString(), 'abc')
})
