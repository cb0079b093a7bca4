import t from 'tap'
import { reader } from '../../../src/cropper/dialects/read/read.js'
import { confidenceOf } from '../../../src/cropper/remote/confidence.js'

const tokens = (...pairs: [token: string, logprob: number][]) => ({
  content: pairs.map(([token, logprob]) => ({ token, logprob, bytes: null, top_logprobs: [] })),
})
const spansOf = (text: string) => reader()({ text, toolCalls: [] })?.spans ?? []
const near = (value: number | null, wanted: number) => Math.abs((value ?? -1) - wanted) < 1e-9

const text = 'Box 1: [12, 5, 80, 47].'
const good = tokens(
  ['Box', -9],
  [' ', -9],
  ['1', -9],
  [':', -9],
  [' [', -9],
  ['1', -0.1],
  ['2', -0.2],
  [',', -9],
  [' ', -9],
  ['5', -0.3],
  [',', -9],
  [' 80', -0.4],
  [', ', -9],
  ['4', -0.5],
  ['7', -0.6],
  ['].', -9],
)

t.test('exp of the mean over the tokens that hold a number of the box, and no other', async t => {
  t.ok(near(confidenceOf(text, spansOf(text), good), Math.exp(-2.1 / 6)))
  const certain = tokens(['[1', 0], [',', -3], ['2,', 0], [' 3', 0], [',', -3], [' 4', 1e-9], [']', 0])
  t.equal(confidenceOf('[1,2, 3, 4]', spansOf('[1,2, 3, 4]'), certain), 1, 'never above 1')
})

t.test('special tokens, reasoning and letters in pieces around the text do no harm', async t => {
  const more = [
    ...tokens(['<think>', -5], ['[12, 5, 80, 47]', -7], ['</think>', -5]).content,
    ...good.content,
    ...tokens(['<|im_end|>', -5]).content,
  ]
  t.ok(near(confidenceOf(text, spansOf(text), { content: more }), Math.exp(-2.1 / 6)))
  const split = tokens(
    ['\\xe4', -1],
    ['\\xba', -1],
    [' [', -1],
    ['1', -0.5],
    [', 2', -0.5],
    [', 3', -0.5],
    [', 4', -0.5],
    [']', -1],
  )
  t.ok(near(confidenceOf('\u4eba [1, 2, 3, 4]', spansOf('\u4eba [1, 2, 3, 4]'), split), Math.exp(-0.5)))
})

t.test('null where there is nothing to tell it by; never made up', async t => {
  for (const logprobs of [
    null,
    undefined,
    [],
    {},
    { content: null },
    { content: [] },
    { content: [null] },
    { content: [{ token: '1' }] },
    { content: [{ token: '1', logprob: 'high' }] },
    { content: [{ token: 1, logprob: -1 }] },
    { content: [{ token: text, logprob: Number.NaN }] },
    tokens(['another text', -1]),
    { tokens: ['1'], token_logprobs: [-1] },
  ])
    t.equal(confidenceOf(text, spansOf(text), logprobs), null, JSON.stringify(logprobs))
  t.equal(confidenceOf('', [], good), null, 'the box came as a tool call')
})
