import t from 'tap'
import { oneLine, stripped } from '../../src/contract/question.js'

t.test('white space is all that JavaScript takes for it, and what Python takes besides', async t => {
  for (let code = 0; code <= 0xffff; code++) {
    const one = String.fromCharCode(code)
    const isWhite = /\s/.test(one) || '\x1c\x1d\x1e\x1f\x85\u200b\u2060'.includes(one)
    if ((oneLine(`a${one}b`) === 'a b') !== isWhite) t.fail(code.toString(16))
  }
})

t.test('at the ends it goes; inside, a run of it is one space in one line only', async t => {
  const rows: [text: string, stripped: string, line: string][] = [
    ['What is the total?', 'What is the total?', 'What is the total?'],
    ['What is the total?\n', 'What is the total?', 'What is the total?'],
    ['\ufeff\r\n Line one\r\n\tline two \u00a0', 'Line one\r\n\tline two', 'Line one line two'],
    ['\u3000合計は\u3000いくら？\u3000', '合計は\u3000いくら？', '合計は いくら？'],
    ['a\u200db c\u200cd', 'a\u200db c\u200cd', 'a\u200db c\u200cd'],
    ['', '', ''],
    [' \u200b\u0085\x1f', '', ''],
  ]
  for (const [text, bare, line] of rows) {
    t.equal(stripped(text), bare, encodeURI(text))
    t.equal(oneLine(text), line, encodeURI(text))
  }
})

t.test('a question of a million spaces takes no time to speak of', async t => {
  t.equal(oneLine(`a${' '.repeat(1_000_000)}b${' '.repeat(1_000_000)}`), 'a b')
})
