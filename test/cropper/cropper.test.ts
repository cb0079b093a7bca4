import t from 'tap'
import { findBox } from '../../src/cropper/cropper.js'
import { cropperPrompt } from '../../src/prompts.js'
import { type Generation, type Idefics3, loadModel } from '../../src/vlm/model.js'
import { pattern } from '../patterns.js'
import { MODELS } from '../vlm/goldens.js'

const signal = new AbortController().signal
const image = pattern('strokes', 300, 200)
const load = (folder: string) =>
  loadModel({
    dir: `${MODELS}${folder}`,
    role: 'cropper',
    precision: null,
    executionProvider: 'cpu',
    threads: 1,
    verifyHashes: true,
  })

/** A model that answers what it is told. */
const scripted = (answer: Partial<Generation>) =>
  ({
    async generate() {
      const timings = { preprocess: 1, vision: 2, prefill: 3, generate: 4 }
      return {
        text: '',
        tokens: [],
        logProbs: [],
        free: [],
        promptTokens: 9,
        tiles: 1,
        resolution: 64,
        timings,
        ...answer,
      }
    },
  }) as unknown as Idefics3

for (const folder of ['tiny', 'tiny-hub']) {
  t.test(`${folder}: even random weights give a valid box, at every resolution`, async t => {
    const model = await load(folder)
    t.teardown(() => model.close())
    for (const [resolution, tiles] of [
      [null, 1],
      [128, 5],
      [256, 13],
    ] as const) {
      for (const question of ['What is the total?', '<end_of_utterance>', '']) {
        const found = await findBox(model, image, question, { resolution, constrained: true, signal })
        const [x1, y1, x2, y2] = found.box
        t.ok(0 <= x1 && x1 < x2 && x2 <= 100 && 0 <= y1 && y1 < y2 && y2 <= 100, found.raw)
        t.match(found, { decision: 'zoomed', reason: null, tiles, resolution: resolution ?? 64 })
        t.equal(found.raw, `[${found.box.join(', ')}].`)
        t.ok(found.confidence > 0 && found.confidence <= 1)
        t.ok(found.generatedTokens >= 14 && found.generatedTokens <= 20)
      }
    }
  })
}

t.test('the same request gives the same answer', async t => {
  const model = await load('tiny')
  t.teardown(() => model.close())
  const ask = () => findBox(model, image, 'Where?', { resolution: 128, constrained: true, signal })
  const { timings: _, ...first } = await ask()
  const { timings: __, ...second } = await ask()
  t.same(first, second)
})

t.test('a prompt that leaves no room for a whole box is too long, never half a box', async t => {
  const model = await load('tiny')
  t.teardown(() => model.close())
  const positions = 2048
  const ask = (question: string) => findBox(model, image, question, { resolution: null, constrained: true, signal })
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
  t.match(await ask(longest), { decision: 'zoomed', reason: null })
  await t.rejects(ask(`${longest}7`), {
    code: 'question_too_long',
    param: 'question',
    message: /^Question and images make 2017 tokens; the model reads at most 2016 of them/,
  })
})

t.test('free decoding of random weights is a fallback that says why', async t => {
  const model = await load('tiny')
  t.teardown(() => model.close())
  const found = await findBox(model, image, 'Where?', { resolution: null, constrained: false, signal })
  t.match(found, { decision: 'fallback', reason: 'no_box', box: [0, 0, 100, 100] })
  t.ok(found.raw.length > 0 && found.confidence > 0)
})

t.test('verdicts on free answers', async t => {
  const ask = (text: string) =>
    findBox(scripted({ text }), image, 'Where?', { resolution: null, constrained: false, signal })
  t.match(await ask(' [12, 5, 80, 47].'), {
    box: [12, 5, 80, 47],
    decision: 'zoomed',
    reason: null,
    raw: '[12, 5, 80, 47].',
  })
  t.match(await ask(' [12, 5, 12, 47].'), { box: [0, 0, 100, 100], decision: 'fallback', reason: 'empty_box' })
  t.match(await ask(' [12, 5, 180, 47].'), { decision: 'fallback', reason: 'out_of_range', raw: '[12, 5, 180, 47].' })
  t.match(await ask('I cannot say.'), { decision: 'fallback', reason: 'no_box' })
})

t.test('confidence is the geometric mean over the freely chosen tokens', async t => {
  const logProbs = [-50, Math.log(0.5), Math.log(0.125), -50, null]
  const free = [false, true, true, false, false]
  const ask = (answer: Partial<Generation>) =>
    findBox(scripted({ text: ' [1, 2, 3, 4].', ...answer }), image, 'Where?', {
      resolution: null,
      constrained: false,
      signal,
    })
  const { confidence, generatedTokens, timings } = await ask({ logProbs, free, tokens: [1, 2, 3, 4, 5] })
  t.ok(Math.abs(confidence - 0.25) < 1e-12)
  t.equal(generatedTokens, 5)
  t.same(timings, { preprocess: 1, vision: 2, prefill: 3, generate: 4 })
  t.equal((await ask({ logProbs: [], free: [] })).confidence, 0)
})

t.test("the model's refusals pass through", async t => {
  const model = await load('tiny')
  t.teardown(() => model.close())
  const options = { resolution: 100, constrained: true, signal }
  await t.rejects(findBox(model, image, 'Where?', options), { code: 'unsupported_resolution' })
  await t.rejects(findBox(model, image, 'Where?', { ...options, resolution: null, signal: AbortSignal.abort() }), {
    code: 'request_aborted',
  })
})
