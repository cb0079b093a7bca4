import { readFileSync } from 'node:fs'
import t from 'tap'
import { makeTokenizer } from '../../../src/vlm/tokens/tokenizer.js'
import { MODELS } from '../../support/goldens.js'

const read = (file: string) => JSON.parse(readFileSync(`${MODELS}tiny/${file}`, 'utf8'))
const definition = read('tokenizer.json')
const config = read('tokenizer_config.json')
const tokenizer = makeTokenizer(definition, config)

t.test('special tokens are found by `encode` only', async t => {
  const image = tokenizer.id('<image>')
  t.type(image, 'number')
  t.same(tokenizer.encode('<image>'), [image])
  t.notOk(tokenizer.encodePlain('<image>').includes(image ?? -1))
  t.equal(tokenizer.decode(tokenizer.encodePlain('<image>')), '<image>')
  t.equal(tokenizer.decode(tokenizer.encode('a<image>b')), 'ab', 'special tokens are left out')
  t.equal(tokenizer.id('no such token'), undefined)
  t.same(tokenizer.encode(''), [])
  t.equal(tokenizer.decode([]), '')
})

t.test('each Unicode number is a token of its own, as Hugging Face splits them', async t => {
  // GPT-2's split alone would keep ` ²` and `٣٤` together.
  for (const [text, parts] of [
    ['x ²', ['x', ' ', '²']],
    ['٣٤', ['٣', '٤']],
    ['12', ['1', '2']],
  ] as const)
    t.same(
      tokenizer.encodePlain(text),
      parts.flatMap(part => tokenizer.encodePlain(part)),
      text,
    )
})

t.test("white space is Unicode's", async t => {
  const together = (text: string) => tokenizer.encodePlain(text).join()
  t.not(together('a\u0085 b'), '', 'NEL is white space to Python, not to JavaScript')
  t.equal(tokenizer.decode(tokenizer.encodePlain('a\u0085 \ufeffb')), 'a\u0085 \ufeffb')
})

t.test('a lone surrogate becomes the replacement character', async t => {
  t.same(tokenizer.encodePlain('a\ud800b'), tokenizer.encodePlain('a\ufffdb'))
})

t.test('bytes that the vocabulary lacks are dropped before merging', async t => {
  const { Ã: _, ...vocab } = definition.model.vocab
  const merges = definition.model.merges.filter((merge: unknown) => !JSON.stringify(merge).includes('Ã'))
  const lacking = makeTokenizer({ ...definition, model: { ...definition.model, vocab, merges } }, config)
  t.same(
    lacking.encodePlain('thÃe'.replace('Ã', 'é')),
    lacking.encodePlain('th').concat(lacking.encodePlain('é'), lacking.encodePlain('e')),
  )
})

t.test('a vocabulary without `-` loses that byte alone, not all between its neighbours', async t => {
  const { '!': _, '-': __, z: ___, ...vocab } = definition.model.vocab
  const merges = definition.model.merges.filter((merge: unknown) => !/[-!z]/.test(JSON.stringify(merge)))
  const lacking = makeTokenizer({ ...definition, model: { ...definition.model, vocab, merges } }, config)
  t.same(lacking.encodePlain('a-7z!?'), lacking.encodePlain('a7?'))
  t.ok(lacking.encodePlain('a7?').length > 1)
})

t.test('tokens that swallow the white space around them do', async t => {
  const added = definition.added_tokens.map((token: { content: string }) =>
    token.content === '<image>' ? { ...token, lstrip: true, rstrip: true } : token,
  )
  const stripping = makeTokenizer({ ...definition, added_tokens: added }, config)
  t.same(stripping.encode('a  <image> \n b'), stripping.encode('a<image>b'))
  t.notSame(tokenizer.encode('a  <image> \n b'), tokenizer.encode('a<image>b'))
  t.same(makeTokenizer({ ...definition, added_tokens: [] }, config).encode('<image>'), tokenizer.encodePlain('<image>'))
})
