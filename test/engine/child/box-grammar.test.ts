import { readFileSync } from 'node:fs'
import t from 'tap'
import { type Box, formatBox, parseBox } from '../../../src/contract/box.js'
import { boxGrammar, boxTokens } from '../../../src/engine/child/box-grammar.js'
import { decode } from '../../../src/vlm/decoding/decode.js'
import type { GrammarState } from '../../../src/vlm/decoding/grammar.js'
import { makeTokenizer } from '../../../src/vlm/tokens/tokenizer.js'
import { MODELS } from '../../support/goldens.js'
import { scriptedModel, seeded } from '../../support/scripted.js'

t.setTimeout(120_000)

const read = (file: string) => JSON.parse(readFileSync(`${MODELS}tiny/${file}`, 'utf8'))
const tokenizer = makeTokenizer(read('tokenizer.json'), read('tokenizer_config.json'))
const tokens = boxTokens(tokenizer)
const grammar = boxGrammar(tokens)
const end = tokenizer.id('<end_of_utterance>') as number
const VOCABULARY = 352

const answer = (box: Box) => [...tokenizer.encodePlain(` ${formatBox(box)}`), end]
const accepts = (ids: readonly number[]) => {
  let state: GrammarState = grammar.start
  for (const id of ids) {
    if (!state.allowed.includes(id)) return false
    state = state.after(id)
  }
  return state.allowed.length === 0
}
const written = (text: string) => [...tokenizer.encodePlain(text), end]
const decodeWith = (model: ReturnType<typeof scriptedModel>, isConstrained: boolean, temperature = 0, seed = 1) =>
  decode({
    feed: model.feed,
    canRewind: true,
    grammar: isConstrained ? grammar : null,
    eos: new Set([end]),
    maxNewTokens: 32,
    temperature,
    random: seeded(seed),
    signal: new AbortController().signal,
  })

t.test('every valid box of a wide sample is accepted, in the tokens of the contract', async t => {
  const random = seeded(3)
  const whole = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  const edges: Box[] = [
    [0, 0, 100, 100],
    [0, 0, 1, 1],
    [99, 99, 100, 100],
    [9, 10, 10, 11],
    [57, 0, 58, 100],
  ]
  const sample = Array.from({ length: 2000 }, (): Box => {
    const [x1, y1] = [whole(0, 99), whole(0, 99)]
    return [x1, y1, whole(x1 + 1, 100), whole(y1 + 1, 100)]
  })
  t.equal(
    [...edges, ...sample].find(box => !accepts(answer(box))),
    undefined,
  )
  t.equal(tokens.open.length + tokens.close.length + tokens.separator.length * 3 + 7, answer([12, 5, 80, 47]).length)
})

t.test('nothing else is', async t => {
  for (const text of [
    ' [5, 5, 5, 9].',
    ' [5, 5, 4, 9].',
    ' [5, 9, 6, 9].',
    ' [5, 9, 6, 8].',
    ' [100, 0, 100, 1].',
    ' [0, 100, 1, 100].',
    ' [0, 0, 101, 1].',
    ' [05, 0, 50, 1].',
    ' [00, 0, 50, 1].',
    ' [1, 2, 3].',
    ' [1, 2, 3, 4, 5].',
    ' [1,2,3,4].',
    '[1, 2, 3, 4].',
    ' [1, 2, 3, 4]',
    ' [, 2, 3, 4].',
    ' [-1, 2, 3, 4].',
    ' [1.5, 2, 3, 4].',
    'x',
    '',
  ])
    t.notOk(accepts(written(text)), text)
  t.throws(() => grammar.start.after(-1), { message: /not allowed/ })
})

t.test('masks depend on the numbers before', async t => {
  const behind = (text: string) =>
    tokenizer.encodePlain(text).reduce((state: GrammarState, id) => state.after(id), grammar.start)
  const choices = (text: string) =>
    tokenizer
      .decode([...behind(text).allowed])
      .split('')
      .sort()
      .join('')
  t.equal(choices(' ['), '0123456789')
  t.equal(choices(' [1'), ',0123456789')
  t.equal(choices(' [0'), ',', 'no leading zeros')
  t.equal(choices(' [10'), ',', 'x1 stops at 99')
  t.equal(choices(' [57, 3, '), '156789', '58 to 100')
  t.equal(choices(' [57, 3, 5'), '89')
  t.equal(choices(' [57, 3, 10'), '0', '10 alone is less than 58')
  t.equal(choices(' [99, 3, '), '1')
  t.equal(choices(' [9, 3, 10'), ',0')
})

/** Tokens that go on with four numbers of one or two digits, valid or not. */
function boxLike(before: readonly number[]): readonly number[] {
  const inOpen = tokens.open[before.length]
  if (inOpen !== undefined) return [inOpen]
  const text = tokenizer.decode([...before])
  const [, number = ''] = /(\d*)$/.exec(text) ?? []
  if (text.endsWith('].')) return [end]
  if (text.endsWith(',')) return [tokens.separator[1] as number]
  const stop = text.split(',').length === 4 ? tokens.close : tokens.separator
  return [...(number.length < 2 ? tokens.digits : []), ...(number === '' ? [] : [stop[0] as number])]
}

t.test('over scripted models: always valid, and what free decoding gives where that is valid', async t => {
  let valid = 0
  const CASES = 500
  for (let seed = 0; seed < CASES; seed++) {
    // Raised, to some degree or surely: what looks like a box, but need not be one.
    const bonus = (seed % 4) + 2
    const favour = (before: readonly number[]) => new Map(boxLike(before).map(token => [token, bonus]))
    const constrained = await decodeWith(scriptedModel(seed, VOCABULARY, favour), true)
    const parsed = parseBox(tokenizer.decode(constrained.tokens))
    if (!('box' in parsed) || String(answer(parsed.box)) !== String(constrained.tokens)) return t.fail(`seed ${seed}`)
    const free = await decodeWith(scriptedModel(seed, VOCABULARY, favour), false)
    if (!accepts(free.tokens)) continue
    valid++
    if (String(free.tokens) !== String(constrained.tokens)) return t.fail(`seed ${seed}: not the free answer`)
  }
  t.ok(valid > 20, `${valid} of ${CASES} free answers were valid`)
  t.ok(valid < CASES, 'and some were not')
})

t.test('sampling under the grammar is always valid', async t => {
  for (let seed = 0; seed < 200; seed++) {
    const { tokens: sampled } = await decodeWith(
      scriptedModel(seed, VOCABULARY, () => new Map()),
      true,
      3,
      seed,
    )
    if (!accepts(sampled)) return t.fail(`seed ${seed}`)
  }
  t.pass()
})

/** A model that writes `wanted` and nothing else. */
const writerOf = (wanted: readonly number[]) =>
  scriptedModel(1, VOCABULARY, before => new Map([[wanted[before.length] as number, 20]]))

t.test('forced tokens ride along: the prefill and 7 runs for two digits each', async t => {
  const wanted = answer([12, 15, 80, 47])
  const model = writerOf(wanted)
  const { tokens: given, logProbs, runs, nonGreedyTokens } = await decodeWith(model, true)
  t.same(given, wanted)
  t.equal(model.calls(), 8)
  t.equal(runs, 8)
  t.equal(nonGreedyTokens, 0)
  const scored = logProbs.filter(logProb => logProb !== null)
  t.equal(scored.length, 8, 'the digits; behind two of them no third could follow')
  t.ok(scored.every(logProb => logProb <= 0))
})

t.test('no box takes more than the prefill and 7 runs', async t => {
  const starts = [0, 1, 5, 9, 10, 11, 57, 99]
  const ends = [1, 2, 9, 10, 11, 19, 58, 99, 100]
  const seen = new Set<number>()
  for (const x1 of starts)
    for (const y1 of starts)
      for (const x2 of ends.filter(n => n > x1))
        for (const y2 of ends.filter(n => n > y1)) {
          const wanted = answer([x1, y1, x2, y2])
          const model = writerOf(wanted)
          const { tokens: given } = await decodeWith(model, true)
          if (String(given) !== String(wanted)) return t.fail(`[${x1}, ${y1}, ${x2}, ${y2}]`)
          seen.add(model.calls())
        }
  t.equal(Math.max(...seen), 8)
  t.ok(Math.min(...seen) < 8, 'and 0 and what can only be 100 take fewer')
})

t.test('over thousands of scripted models: the answer of asking token by token', async t => {
  for (let seed = 0; seed < 3000; seed++) {
    const favour = (before: readonly number[]) => {
      // The first digits 1 and 0 are raised, so that 10 and 100 are met often.
      const digits = before.length > 3 && seed % 3 === 0 ? tokens.digits.slice(0, 2) : []
      return new Map([...boxLike(before), ...digits].map(token => [token, (seed % 4) + 2]))
    }
    const { tokens: given, runs } = await decodeWith(scriptedModel(seed, VOCABULARY, favour), true)
    const { logits } = scriptedModel(seed, VOCABULARY, favour)
    const expected: number[] = []
    for (let state: GrammarState = grammar.start; state.allowed.length > 0; ) {
      const row = logits(expected)
      const best = state.allowed.reduce((a, b) => ((row[b] as number) > (row[a] as number) ? b : a))
      expected.push(best)
      state = state.after(best)
    }
    if (String(given) !== String(expected) || runs > 8)
      return t.fail(`seed ${seed}: ${tokenizer.decode(given)}, not ${tokenizer.decode(expected)}; ${runs} runs`)
  }
  t.pass()
})

t.test('a tokenizer without a token for each digit is refused', async t => {
  const definition = read('tokenizer.json')
  const words = makeTokenizer(
    { ...definition, pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: false } },
    read('tokenizer_config.json'),
  )
  const glued = { ...words, encodePlain: (text: string) => words.encodePlain(text.replace('12', 'w')) }
  t.throws(() => boxTokens(glued), { code: 'invalid_model', message: /tokenizer.json/ })
  t.throws(() => boxTokens({ ...tokenizer, id: () => undefined }), { code: 'invalid_model' })
})
