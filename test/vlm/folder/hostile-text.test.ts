/** Tokenizers and chat templates that mean harm, or are broken: refused with the file and the reason, or ended in time. */
import t from 'tap'
import { boxTokens } from '../../../src/engine/child/box-grammar.js'
import type { Idefics3 } from '../../../src/vlm/idefics3/idefics3.js'
import { promptIds } from '../../../src/vlm/idefics3/prompt.js'
import { TimeLimitError } from '../../../src/vlm/time-limit.js'
import { copy, type Json, refused } from '../../support/model-folders/broken.js'
import { splittingBy } from '../../support/model-folders/patterns.js'

t.test('a template that would make too long a range, one that would not end, and one that refuses', async t => {
  for (const [chat_template, message] of [
    ['{% for i in range(1000000000) %}{% endfor %}', /a range of 1000000000; at most 10000 are made/],
    [
      '{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}',
      /chat_template\.json: .*took longer than 1000 ms/,
    ],
    [`{{ raise_exception('${'long '.repeat(100)}') }}`, /\((long ){60}\.\.\.\)/],
    ['no picture', /writes 0 images for 1/],
    ['{{ nothing.at.all }}', /chat_template\.json: no prompt can be written/],
  ] as const) {
    const { edit, read } = copy(t)
    edit('chat_template.json', json => ({ ...json, chat_template }))
    await refused(t, read(false), message)
  }
  const { edit, read } = copy(t)
  const loops = '{% for i in range(2) %}{{ i }}{% endfor %}{% for i in range(3, -1, -2) %}{{ i }}{% endfor %}'
  edit('chat_template.json', json => ({ ...json, chat_template: `${json.chat_template}${loops}` }))
  const { family } = (await read(false)).cpu
  const { prompt } = family as Idefics3
  t.match(prompt.tokenizer.decode(promptIds(prompt, [{ rows: 0, cols: 0 }], 'a')), /0131$/, 'others may count')
})

t.test('patterns that would not end: at the start, and for one question', async t => {
  const always = copy(t)
  always.edit('tokenizer.json', splittingBy('(([A-Za-z ?]+)+)+#'))
  await refused(t, always.read(false), /took longer than 1000 ms/)

  const sometimes = copy(t)
  sometimes.edit('tokenizer.json', splittingBy('(z+)+#'))
  const { family } = (await sometimes.read(false)).cpu
  const { prompt } = family as Idefics3
  t.ok(promptIds(prompt, [], 'Where?').length > 0)
  t.throws(() => promptIds(prompt, [], 'z'.repeat(1900)), { code: 'model_failed', message: /longer than 1000 ms/ })
})

t.test('patterns that would not end for a box, and for an answer', async t => {
  const boxes = copy(t)
  boxes.edit('tokenizer.json', splittingBy('((([0-9\\[\\], ]+)+)+)+#'))
  const { tokenizer } = ((await boxes.read(false)).cpu.family as Idefics3).prompt
  t.throws(() => boxTokens(tokenizer), {
    code: 'invalid_model',
    message: /tokenizer\.json: its patterns took longer than 1000 ms for the text of a box/,
  })

  const answers = copy(t)
  answers.edit('tokenizer.json', json => ({
    ...json,
    decoder: {
      type: 'Sequence',
      decoders: [json.decoder, { type: 'Replace', pattern: { Regex: '(z+)+#' }, content: '' }],
    },
  }))
  const { tokenizer: decoder } = ((await answers.read(false)).cpu.family as Idefics3).prompt
  t.equal(decoder.decode(decoder.encode('Where? z# zzz')), 'Where?  zzz')
  t.throws(() => decoder.decode(decoder.encode('z'.repeat(60))), TimeLimitError)
})

t.test('more tokens and merges than any model has', async t => {
  for (const [key, value, message] of [
    [
      'vocab',
      Object.fromEntries(Array.from({ length: 2 ** 19 + 1 }, (_, id) => [`t${id}`, id])),
      /`model\.vocab` has 524289/,
    ],
    ['merges', Array(2 ** 20 + 1).fill('a b'), /`model\.merges` has 1048577 entries, and at most 1048576 are read/],
  ] as const) {
    const { edit, read } = copy(t)
    edit('tokenizer.json', json => ({ ...json, model: { ...(json.model as Json), [key]: value } }))
    await refused(t, read(false), message)
  }
})

t.test('more added tokens than any model has', async t => {
  const { edit, read } = copy(t)
  const added_tokens = Array.from({ length: 20_001 }, (_, id) => ({ id, content: `<${id}>` }))
  edit('tokenizer.json', json => ({ ...json, added_tokens }))
  await refused(t, read(false), /`added_tokens` has to be a list of at most 20000 tokens/)
})

// found by `npm run fuzz`: each made a tokenizer whose tokens had no ids
t.test('a tokenizer that would fail at the first question', async t => {
  type Change = (json: Json) => Json
  const model =
    (change: Json): Change =>
    json => ({ ...json, model: { ...(json.model as Json), ...change } })
  const changes: [Change, RegExp][] = [
    [json => ({ ...json, added_tokens: [{ content: '<image>' }] }), /each of `added_tokens` has to have an `id`/],
    [json => ({ ...json, added_tokens: [{ id: 1, content: '' }] }), /each of `added_tokens`/],
    [json => ({ ...json, added_tokens: null }), /`added_tokens` has to be a list/],
    [model({ vocab: { a: -1 } }), /`model\.vocab` has to be an object of tokens and their ids/],
    [model({ vocab: null }), /`model\.vocab`/],
    [model({ unk_token: 'none', vocab: { a: 1 } }), /the tokenizer cannot be built/],
    [json => ({ ...json, decoder: { type: 'Nothing' } }), /the tokenizer cannot be built/],
  ]
  for (const [change, message] of changes) {
    const { edit, read } = copy(t)
    edit('tokenizer.json', change)
    await refused(t, read(false), message)
  }
})
