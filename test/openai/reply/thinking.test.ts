import t from 'tap'
import { joined, takeApart } from '../../../src/openai/reply/thinking.js'

t.test('thinking is taken out, whatever tags are there', async t => {
  const rows: [text: string, answer: string, reasoning: string | null][] = [
    ['482', '482', null],
    ['  482\n', '482', null],
    ['<think>It is 482.</think>482', '482', 'It is 482.'],
    ['<think>\n\n</think>\n\n482', '482', null],
    ['<THINKING>a</THINKING>482', '482', 'a'],
    ['<thought>a</thought>482', '482', 'a'],
    ['[THINK]a[/THINK]482', '482', 'a'],
    ['◁think▷a◁/think▷482', '482', 'a'],
    // the prompt held the opening tag
    ['It is 482.</think>\n482', '482', 'It is 482.'],
    // the tokens ran out
    ['<think>It is', '', 'It is'],
    ['482 <think>or is it', '482', 'or is it'],
    ['<think>a</think>4<think>b</think>82', '482', 'a\nb'],
    ['a</think>b</think>482', '482', 'a\nb'],
    ['<think><think>a</think>482', '482', 'a'],
    ['</think>482', '482', null],
    ['', '', null],
    ['a < b and <thinker> stay', 'a < b and <thinker> stay', null],
  ]
  for (const [text, answer, reasoning] of rows) t.same(takeApart(text), { answer, reasoning }, text)
})

t.test('a long text without an end is taken apart in one go', async t => {
  const text = '<think>'.repeat(50_000) + '</think>'.repeat(50_000)
  t.same(takeApart(`${text}482`).answer, '482')
})

t.test('thoughts are joined line by line', async t => {
  t.equal(joined([' a ', null, '', 'b']), 'a\nb')
  t.equal(joined([null, ' ']), null)
})
