import t from 'tap'
import { cropperPrompt } from '../../../src/contract/prompts.js'
import { type BoxRequest, findBox } from '../../../src/engine/child/find-boxes.js'
import type { VisionLanguageModel } from '../../../src/vlm/model.js'
import { type Generation, plainImage } from '../../../src/vlm/request.js'
import { pattern } from '../../support/images/patterns.js'
import { loadFixture } from '../../support/models.js'

const signal = new AbortController().signal
const image = plainImage(pattern('strokes', 300, 200))
const ask = (model: VisionLanguageModel, question: string, constrained: boolean, changes: Partial<BoxRequest> = {}) =>
  findBox(model, { image, question, resolution: null, signal, ...changes }, constrained)

/** A model that answers what it is told. */
const scripted = (answer: Partial<Generation>) =>
  ({
    async generateAll() {
      const timings = { decode: 0, preprocess: 1, vision: 2, prefill: 3, generate: 4 }
      const value = {
        text: '',
        tokens: [],
        logProbs: [],
        promptTokens: 9,
        tiles: 1,
        resolution: 64,
        timings,
        ...answer,
      }
      return [{ status: 'fulfilled', value }]
    },
  }) as unknown as VisionLanguageModel

for (const folder of ['tiny', 'tiny-hub']) {
  t.test(
    `${folder}: even random weights give a valid box, at every resolution, and are told to be no cropper`,
    async t => {
      const model = await loadFixture(folder)
      for (const [resolution, tiles] of [
        [null, 1],
        [128, 5],
        [256, 13],
      ] as const) {
        for (const question of ['What is the total?', '<end_of_utterance>', '']) {
          const found = await ask(model, question, true, { resolution })
          const [x1, y1, x2, y2] = found.box
          t.ok(0 <= x1 && x1 < x2 && x2 <= 100 && 0 <= y1 && y1 < y2 && y2 <= 100, found.raw)
          t.match(found, { decision: 'fallback', reason: 'not_a_cropper', tiles, resolution: resolution ?? 64 })
          t.equal(found.raw, `[${found.box.join(', ')}].`)
          t.ok(found.confidence > 0 && found.confidence <= 1)
          t.ok(found.generatedTokens >= 14 && found.generatedTokens <= 20)
        }
      }
    },
  )
}

t.test('over hundreds of real logit sequences: the box of feeding one token a run, without draft tokens', async t => {
  const [model, slow] = [await loadFixture('tiny'), await loadFixture('tiny-hub')]
  const boxes = new Set<string>()
  let most = 0
  for (let i = 0; i < 300; i++) {
    const kind = ['strokes', 'blocks'][i % 2] as string
    const request = {
      image: plainImage(pattern(kind, 60 + i, 360 - i)),
      question: `${i}, ${i * i}?`,
      resolution: null,
      signal,
    }
    const [fast, plain] = [await findBox(model, request, true), await findBox(slow, request, true)]
    if (fast.raw !== plain.raw) return t.fail(`${i}: ${fast.raw}, not ${plain.raw}`)
    t.ok(Math.abs(fast.confidence - plain.confidence) < 1e-4)
    t.equal(fast.nonGreedyTokens, plain.nonGreedyTokens)
    boxes.add(fast.raw)
    most = Math.max(most, fast.runs)
  }
  t.ok(boxes.size > 20, `${boxes.size} different boxes`)
  t.equal(most, 8, 'the prefill and 7 runs')
})

t.test('the same request gives the same answer', async t => {
  const model = await loadFixture('tiny')
  const { timings: _, intervals: _when, ...first } = await ask(model, 'Where?', true, { resolution: 128 })
  const { timings: __, intervals: __when, ...second } = await ask(model, 'Where?', true, { resolution: 128 })
  t.same(first, second)
})

t.test('a prompt that leaves no room for a whole box is too long, never half a box', async t => {
  const model = await loadFixture('tiny')
  const positions = 2048
  // Each digit is one token.
  const { promptTokens: bare } = await model.generate({
    images: [image],
    text: cropperPrompt(''),
    resolution: null,
    maxNewTokens: 1,
    temperature: 0,
    grammar: null,
    signal,
  })
  const longest = '7'.repeat(positions - 32 - bare)
  t.match(await ask(model, longest, true), { decision: 'fallback', reason: 'not_a_cropper' })
  await t.rejects(ask(model, `${longest}7`, true), {
    code: 'question_too_long',
    param: 'question',
    message: /^Question and images make 2017 tokens; the model reads at most 2016 of them/,
  })
})

t.test('free decoding of random weights is a fallback that says why', async t => {
  const model = await loadFixture('tiny')
  const found = await ask(model, 'Where?', false)
  t.match(found, { decision: 'fallback', reason: 'no_box', box: [0, 0, 100, 100] })
  t.ok(found.raw.length > 0 && found.confidence > 0)
})

t.test('verdicts on free answers', async t => {
  const verdict = (text: string) => ask(scripted({ text }), 'Where?', false)
  t.match(await verdict(' [12, 5, 80, 47].'), {
    box: [12, 5, 80, 47],
    decision: 'zoomed',
    reason: null,
    raw: '[12, 5, 80, 47].',
  })
  t.match(await verdict(' [12, 5, 12, 47].'), { box: [0, 0, 100, 100], decision: 'fallback', reason: 'empty_box' })
  t.match(await verdict(' [12, 5, 180, 47].'), {
    decision: 'fallback',
    reason: 'out_of_range',
    raw: '[12, 5, 180, 47].',
  })
  t.match(await verdict('I cannot say.'), { decision: 'fallback', reason: 'no_box' })
})

t.test('a model that would not have written most of its tokens by itself is no cropper', async t => {
  const tokens = Array.from({ length: 16 }, (_, i) => i)
  const judge = async (nonGreedyTokens: number) => {
    const { decision, reason, box } = await ask(
      scripted({ text: ' [1, 2, 3, 4].', tokens, nonGreedyTokens }),
      'q',
      false,
    )
    return [decision, reason, box]
  }
  t.same(await judge(8), ['zoomed', null, [1, 2, 3, 4]])
  t.same(await judge(9), ['fallback', 'not_a_cropper', [1, 2, 3, 4]])
  const trained = await loadFixture('tiny-box')
  for (const question of ['What is the total?', 'Where?', 'Who signed the form?'])
    t.match(await ask(trained, question, true), { decision: 'zoomed', reason: null })
})

t.test('confidence is the geometric mean over the freely chosen tokens', async t => {
  const logProbs = [null, Math.log(0.5), Math.log(0.125), null, null]
  const scored = (answer: Partial<Generation>) => ask(scripted({ text: ' [1, 2, 3, 4].', ...answer }), 'Where?', false)
  const { confidence, generatedTokens, timings } = await scored({ logProbs, tokens: [1, 2, 3, 4, 5] })
  t.ok(Math.abs(confidence - 0.25) < 1e-12)
  t.equal(generatedTokens, 5)
  t.same(timings, { decode: 0, preprocess: 1, vision: 2, prefill: 3, generate: 4 })
  t.equal((await scored({ logProbs: [] })).confidence, 0)
})

t.test("the model's refusals pass through", async t => {
  const model = await loadFixture('tiny')
  await t.rejects(ask(model, 'Where?', true, { resolution: 100 }), { code: 'unsupported_resolution' })
  await t.rejects(ask(model, 'Where?', true, { signal: AbortSignal.abort() }), { code: 'request_aborted' })
})
