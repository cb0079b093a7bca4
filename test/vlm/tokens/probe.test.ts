import { readFileSync } from 'node:fs'
import t from 'tap'
import { TimeLimitError } from '../../../src/vlm/time-limit.js'
import { probe } from '../../../src/vlm/tokens/probe.js'
import { makeTokenizer, type Tokenizer } from '../../../src/vlm/tokens/tokenizer.js'
import { MODELS } from '../../support/goldens.js'

const read = (file: string) => JSON.parse(readFileSync(`${MODELS}tiny/${file}`, 'utf8'))
const tokenizer = makeTokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
const changed = (change: Partial<Tokenizer>): Tokenizer => ({ ...tokenizer, ...change })

t.test('one that works, and those that do not', async t => {
  t.doesNotThrow(() => probe(tokenizer))
  t.throws(() => probe(changed({ encodePlain: () => [1, undefined as never] })), {
    message: 'undefined is no id of a token',
  })
  t.throws(() => probe(changed({ encode: () => [-1] })), { message: '-1 is no id of a token' })
  t.throws(() => probe(changed({ decode: () => undefined as never })), {
    message: 'tokens are decoded to what is no text',
  })
  t.throws(
    () =>
      probe(
        changed({
          encode: () => {
            for (;;);
          },
        }),
      ),
    TimeLimitError,
  )
})
