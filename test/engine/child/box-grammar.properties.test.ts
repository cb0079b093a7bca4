/** The box grammar on each tokenizer at hand, under whatever a model may say. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { type Box, boxProblem, formatBox, parseBox } from '../../../src/contract/box.js'
import { boxGrammar, boxTokens } from '../../../src/engine/child/box-grammar.js'
import { decode } from '../../../src/vlm/decoding/decode.js'
import type { GrammarState } from '../../../src/vlm/decoding/grammar.js'
import { makeTokenizer } from '../../../src/vlm/tokens/tokenizer.js'
import { MODELS, SMOLVLM } from '../../support/goldens.js'
import { boxes } from '../../support/properties/boxes.js'
import { modelOf, rows, type Says } from '../../support/properties/logits.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

/** The longest box and the end. */
const MAX_TOKENS = 19
const BUNDLED = fileURLToPath(new URL('../../../models/', import.meta.url))
const FOLDERS = [`${MODELS}tiny/`, `${BUNDLED}cropvlm-mini/`, SMOLVLM]

for (const folder of FOLDERS.filter(folder => existsSync(`${folder}tokenizer.json`))) {
  const read = (file: string) => JSON.parse(readFileSync(`${folder}${file}`, 'utf8'))
  const definition = read('tokenizer.json')
  const tokenizer = makeTokenizer(definition, read('tokenizer_config.json'))
  const grammar = boxGrammar(boxTokens(tokenizer))
  const end = tokenizer.id('<end_of_utterance>') as number
  // the logits of tokens that no box has are many and much alike
  const largest = Math.max(end, ...tokenizer.encodePlain(' [0123456789, 5].'))
  const name = folder.split('/').at(-2)
  const written = (box: Box) => [...tokenizer.encodePlain(` ${formatBox(box)}`), end]

  const decodeAs = (says: Says, temperature: number, random: number, canRewind: boolean) =>
    decode({
      feed: modelOf(says, largest + 1),
      canRewind,
      grammar,
      eos: new Set([end]),
      maxNewTokens: 32,
      temperature,
      random: () => random,
      signal: new AbortController().signal,
    })

  const temperatures = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true, minExcluded: true }))
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  holds(
    `${name}: a valid box, whatever the logits, and the same with draft tokens as without`,
    fc.asyncProperty(rows, temperatures, random, async (says, temperature, number) => {
      const decoded = await decodeAs(says, temperature, number, true)
      const { tokens, isComplete, logProbs } = decoded
      const text = tokenizer.decode(tokens)
      const parsed = parseBox(text)
      expect(isComplete && tokens.length <= MAX_TOKENS, `${tokens.length} tokens`)
      expect('box' in parsed && String(written(parsed.box)) === String(tokens), `no box: ${text}`)
      expect(
        logProbs.every(one => one === null || one <= 0),
        () => `log-probabilities ${logProbs}`,
      )
      expect(decoded.runs <= 8, `${decoded.runs} runs`)
      const { runs: _, ...plain } = await decodeAs(says, temperature, number, false)
      assert.deepStrictEqual(plain, { tokens, isComplete, logProbs, nonGreedyTokens: decoded.nonGreedyTokens })
    }),
    folder === SMOLVLM ? 15 : 150,
  )

  holds(
    `${name}: every box can be written`,
    fc.property(boxes, box => {
      let state: GrammarState = grammar.start
      for (const token of written(box)) state = state.after(token)
      expect(state.allowed.length === 0, 'it is not complete')
    }),
    300,
  )

  holds(
    `${name}: every way through it ends in a valid box, and what it does not offer it refuses`,
    fc.property(
      fc.array(fc.nat(), { minLength: MAX_TOKENS, maxLength: MAX_TOKENS }),
      fc.nat(largest),
      (choices, no) => {
        let state: GrammarState = grammar.start
        const tokens: number[] = []
        for (const choice of choices) {
          const { allowed, draftTokens } = state
          if (allowed.length === 0) break
          expect(String(allowed) === String([...allowed].sort((one, other) => one - other)), 'not in order')
          expect(
            draftTokens.every(token => allowed.includes(token)),
            'it expects what it does not offer',
          )
          if (!allowed.includes(no)) expect(throws(state, no), `it takes ${no}`)
          const token = allowed[choice % allowed.length] as number
          tokens.push(token)
          state = state.after(token)
        }
        expect(state.allowed.length === 0, 'it does not end')
        const parsed = parseBox(tokenizer.decode(tokens))
        expect('box' in parsed && boxProblem(parsed.box) === null, `no box: ${tokenizer.decode(tokens)}`)
      },
    ),
    300,
  )
}

function throws(state: GrammarState, token: number): boolean {
  try {
    state.after(token)
    return false
  } catch {
    return true
  }
}

/** The number of complete answers from a state on. Tokens are few, and an answer is not long. */
function answersFrom(state: GrammarState): number {
  if (state.allowed.length === 0) return 1
  return state.allowed.reduce((sum, token) => sum + answersFrom(state.after(token)), 0)
}

const tiny = `${MODELS}tiny/`
const tokenizer = makeTokenizer(
  JSON.parse(readFileSync(`${tiny}tokenizer.json`, 'utf8')),
  JSON.parse(readFileSync(`${tiny}tokenizer_config.json`, 'utf8')),
)

holds(
  'behind each top-left corner it has as many answers as there are boxes with that corner',
  fc.property(fc.nat(99), fc.nat(99), (x1, y1) => {
    const start = tokenizer.encodePlain(` [${x1}, ${y1},`)
    const state = start.reduce((state, token) => state.after(token), boxGrammar(boxTokens(tokenizer)).start)
    expect(answersFrom(state) === (100 - x1) * (100 - y1), `${answersFrom(state)} answers`)
  }),
  5,
)
