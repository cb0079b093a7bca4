import t from 'tap'
import { type DecodeOptions, decode, openingTokens } from '../../../src/vlm/decoding/decode.js'
import type { GrammarState } from '../../../src/vlm/decoding/grammar.js'
import { logProbability } from '../../../src/vlm/decoding/sampling.js'
import { scriptedModel, seeded } from '../../support/scripted.js'

const END = 0
const VOCABULARY = 20

/** `lists` of allowed tokens, one after the other. */
const steps = (...lists: number[][]): GrammarState => ({
  allowed: lists[0] ?? [],
  draftTokens: [],
  after: () => steps(...lists.slice(1)),
})
const run = (model: ReturnType<typeof scriptedModel>, changes: Partial<DecodeOptions> = {}) =>
  decode({
    feed: model.feed,
    canRewind: true,
    grammar: null,
    eos: new Set([END]),
    maxNewTokens: 12,
    temperature: 0,
    random: () => 0.5,
    signal: new AbortController().signal,
    ...changes,
  })
const plain = (seed: number) => scriptedModel(seed, VOCABULARY, () => new Map())
/** The same answer, asked for token by token. */
const slowly = (seed: number, grammar: GrammarState | null, length: number) => {
  const { logits } = plain(seed)
  const tokens: number[] = []
  for (let state = grammar; tokens.length < length && tokens.at(-1) !== END; ) {
    const row = logits(tokens)
    const allowed = state?.allowed ?? [...row.keys()]
    if (allowed.length === 0) break
    const best = allowed.reduce((a, b) => ((row[b] as number) > (row[a] as number) ? b : a))
    tokens.push(best)
    state = state?.after(best) ?? null
  }
  return tokens
}

t.test('free greedy decoding stops at an end token or at the limit', async t => {
  const lengths = new Set<number>()
  for (let seed = 0; seed < 60; seed++) {
    const { tokens, isComplete, logProbs } = await run(plain(seed))
    t.same(tokens, slowly(seed, null, 12))
    t.equal(isComplete, tokens.at(-1) === END, 'the model ended it, even with the last token that it was allowed')
    t.ok(logProbs.length === tokens.length && logProbs.every(logProb => logProb !== null && logProb <= 0))
    lengths.add(tokens.length)
  }
  t.ok(lengths.has(12) && lengths.size > 2, 'both happened')
})

t.test('forced tokens in front, between and at the end give the answer of asking one by one', async t => {
  for (let seed = 0; seed < 40; seed++) {
    const grammar = steps([3], [4], [5, 6, 7], [8], [8], [1, 2], [9, 10], [11], [12])
    const model = plain(seed)
    const { tokens, logProbs } = await run(model, { grammar: { start: grammar } })
    t.same(tokens, slowly(seed, grammar, 12))
    t.equal(model.calls(), 3, 'a run for each choice, none for the forced end')
    const { logits } = plain(seed)
    const expected = tokens.map((token, i) => {
      const row = logits(tokens.slice(0, i))
      return [2, 5, 6].includes(i) ? logProbability(row, token, Math.max(...row)) : null
    })
    t.same(logProbs, expected)
  }
})

t.test('draft tokens, right and wrong, change runs and never the answer', async t => {
  /** Random choices of three tokens and forced ones, half of the states with up to three draft tokens. */
  const drafting = (random: () => number, left = 8): GrammarState => {
    const token = () => 1 + Math.floor(random() * (VOCABULARY - 1))
    const allowed = [...new Set(random() < 0.4 ? [token()] : [token(), token(), token()])].sort((a, b) => a - b)
    const seed = random()
    return {
      allowed: left === 0 ? [] : allowed,
      draftTokens: random() < 0.5 ? [] : [allowed[0] ?? 0, token(), token()].slice(0, 1 + Math.floor(random() * 3)),
      after: option => drafting(seeded(seed * 2 ** 31 + option), left - 1),
    }
  }
  let saved = 0
  for (let seed = 0; seed < 2000; seed++) {
    const grammar = { start: drafting(seeded(seed)) }
    const [drafted, asked] = [plain(seed), plain(seed)]
    const { runs, ...answer } = await run(drafted, { grammar })
    const { runs: most, ...expected } = await run(asked, { grammar, canRewind: false })
    if (String(expected.tokens) !== String(slowly(seed, grammar.start, 12))) return t.fail(`seed ${seed}: one by one`)
    // forced tokens at the end are compared with the model's where a draft happened to hold them
    t.same({ ...answer, nonGreedyTokens: 0 }, { ...expected, nonGreedyTokens: 0 })
    if (runs !== drafted.calls() || runs > most) return t.fail(`seed ${seed}: ${runs} runs, ${most} without drafts`)
    saved += most - runs
  }
  t.ok(saved > 100, `${saved} runs saved`)
})

t.test('the first run feeds the opening tokens alone, as the prefill does, draft tokens or not', async t => {
  const first = (draftTokens: number[]): GrammarState => ({ ...steps([5, 6, 7], [8], [1, 2]), draftTokens })
  const opening: GrammarState = { allowed: [3], draftTokens: [4], after: () => first([5, 8]) }
  const model = plain(3)
  const sent: (readonly number[])[] = []
  const feed = async (tokens: readonly number[], rewind: number) => {
    sent.push(tokens)
    return await model.feed(tokens, rewind)
  }
  const { tokens } = await run(model, { feed, grammar: { start: opening } })
  t.same(sent[0], openingTokens({ start: opening }, 12))
  t.same(sent[0], [3])
  t.same(tokens, slowly(3, opening, 12))
})

t.test('tokens that the model alone would not have written are counted', async t => {
  const { logits } = plain(5)
  const likely = logits([]).indexOf(Math.max(...logits([])))
  const other = (likely % (VOCABULARY - 1)) + 1
  t.equal((await run(plain(5), { grammar: { start: steps([likely]) } })).nonGreedyTokens, 0, 'no run, nothing known')
  const { nonGreedyTokens } = await run(plain(5), { grammar: { start: steps([other], [1, 2, 3]) } })
  const best = logits([other])
  t.equal(nonGreedyTokens, [1, 2, 3].includes(best.indexOf(Math.max(...best))) ? 1 : 2)
})

t.test('the limit holds within forced tokens too', async t => {
  const grammar = { start: steps([3], [4], [5, 6], [7], [8]) }
  t.match(await run(plain(1), { grammar, maxNewTokens: 2 }), { tokens: [3, 4], isComplete: false })
  t.match(await run(plain(1), { grammar, maxNewTokens: 5 }), { isComplete: true })
  t.equal((await run(plain(1), { grammar, maxNewTokens: 4 })).tokens.length, 4)
})

t.test('an abort between runs ends it', async t => {
  const controller = new AbortController()
  const model = plain(2)
  const feed = async (tokens: readonly number[], rewind: number) => {
    if (model.calls() === 2) controller.abort()
    return await model.feed(tokens, rewind)
  }
  await t.rejects(run(model, { feed, eos: new Set(), signal: controller.signal }), { code: 'request_aborted' })
  t.equal(model.calls(), 3)
})
