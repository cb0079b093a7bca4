/** `tokenizer.json`: it makes a tokenizer that encodes and decodes, or is refused as `invalid_model`. */
import assert from 'node:assert/strict'
import { readText } from '../../../src/vlm/folder/text.js'
import { MemoryFolder } from '../../memory-folder.js'
import { orCodedLater, type Target } from '../../target.js'

const CONFIG = JSON.stringify({ chat_template: '{{ messages }}', bos_token: '<s>' })
const TEXTS = ['What is the total?', '<image>Größe  42,50\n', '', '\ud83d\ude42 \ud83d naïve']

const WORDS = [
  '"type":',
  '"BPE"',
  '"WordPiece"',
  '"Unigram"',
  '"WordLevel"',
  '"Split"',
  '"Regex":',
  '"ByteLevel"',
  '"Metaspace"',
  '"Sequence"',
  '"Precompiled"',
  '"Whitespace"',
  '"Punctuation"',
  '"ByteFallback"',
  '"Fuse"',
  '"CTC"',
  'null',
  '"added_tokens"',
  '"vocab"',
  '"merges"',
  '"unk_token"',
]

export const target: Target = {
  isSync: false,
  maxLength: 16_384,
  maxMs: 2000,
  packages: ['@huggingface/tokenizers'],
  words: WORDS,
  async run(input) {
    const folder = new MemoryFolder({ 'tokenizer.json': input.toString(), 'tokenizer_config.json': CONFIG })
    const read = await orCodedLater(['invalid_model'], () => readText(folder))
    if ('error' in read) return
    const { tokenizer } = read.value
    for (const text of TEXTS)
      for (const ids of [tokenizer.encode(text), tokenizer.encodePlain(text)]) {
        assert.ok(
          ids.every(id => Number.isSafeInteger(id) && id >= 0),
          `ids of ${JSON.stringify(text)}: ${ids}`,
        )
        assert.equal(typeof tokenizer.decode(ids), 'string')
      }
    for (const token of tokenizer.special) assert.equal(typeof tokenizer.id(token), 'number')
  },
}
