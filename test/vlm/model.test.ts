import t from 'tap'
import { cropperPrompt, targetPrompt } from '../../src/contract/prompts.js'
import { CropVlmError } from '../../src/errors.js'
import { type GenerateRequest, plainImage } from '../../src/vlm/request.js'
import { goldenCases, label } from '../support/goldens.js'
import { exactly } from '../support/images/exact.js'
import { pattern } from '../support/images/patterns.js'
import { copy } from '../support/model-folders/broken.js'
import { loadFixture } from '../support/models.js'

interface Picture {
  pattern: string
  width: number
  height: number
}

interface Case extends Picture {
  longest_edge: number
  question: string
  kind: 'cropper' | 'target'
  /** A target's second image. */
  crop?: Picture
  prompt_tokens: number
  tokens: number[]
}

t.setTimeout(120_000)

const cases = goldenCases<Case>('generate.json')
const draw = ({ pattern: name, width, height }: Picture, edge: number) =>
  plainImage(exactly(pattern(name, width, height), edge))
const request = (changes: Partial<GenerateRequest>): GenerateRequest => ({
  images: [plainImage(pattern('blocks', 100, 80))],
  text: 'Why?',
  resolution: null,
  maxNewTokens: 24,
  temperature: 0,
  grammar: null,
  signal: new AbortController().signal,
  ...changes,
})

for (const folder of ['tiny', 'tiny-hub']) {
  t.test(`${folder}: greedy token ids are those of model.generate, one and many tiles`, async t => {
    const model = await loadFixture(folder)
    t.ok(cases.length >= 50)
    const tiles = new Set<number>()
    for (const { question, kind, longest_edge, crop, prompt_tokens, tokens, ...picture } of cases) {
      const generation = await model.generate(
        request({
          images: [picture, ...(crop ? [crop] : [])].map(one => draw(one, longest_edge)),
          text: kind === 'cropper' ? cropperPrompt(question) : targetPrompt(question),
          resolution: longest_edge,
        }),
      )
      const name = `${kind} ${picture.pattern} ${picture.width}x${picture.height} at ${longest_edge}: ${label(question)}`
      t.equal(generation.promptTokens, prompt_tokens, `${name}: prompt`)
      t.equal(generation.tokens.join(), tokens.join(), name)
      tiles.add(generation.tiles)
    }
    t.ok(tiles.has(1) && Math.max(...tiles) > 10)
  })
}

t.test('the caller learns what it needs', async t => {
  const model = await loadFixture('tiny')
  t.equal(model.executionProvider, 'cpu')
  t.match(model.executionProviderReason, /EXECUTION_PROVIDER=cpu/)
  t.match(model.info, { id: 'tiny', role: 'cropper', precision: 'fp32', resolutions: [64, 128, 256] })
  const { tokens, logProbs, timings, ...rest } = await model.generate(request({ resolution: 128 }))
  t.match(rest, { tiles: 5, resolution: 128, text: String, size: { width: 100, height: 80 }, reused: false })
  t.equal(rest.runs, tokens.length)
  t.equal(rest.nonGreedyTokens, 0)
  t.equal(logProbs.length, tokens.length)
  t.ok(logProbs.every(logProb => logProb !== null && logProb <= 0))
  t.ok(Object.values(timings).every(ms => ms >= 0))
  t.same(Object.keys(timings).sort(), ['decode', 'generate', 'prefill', 'preprocess', 'vision'])
})

t.test('an answer that a pattern of the tokenizer would never be done with', async t => {
  const { dir, edit } = copy(t)
  // the check at the start decodes a text that begins with this word
  const pattern = { Regex: '^(?!What)([\\s\\S]+)+\\u{10fffe}' }
  edit('tokenizer.json', json => ({
    ...json,
    decoder: { type: 'Sequence', decoders: [json.decoder, { type: 'Replace', pattern, content: '' }] },
  }))
  const model = await loadFixture('tiny', { dir, verifyHashes: false })
  await t.rejects(model.generate(request({ maxNewTokens: 60 })), {
    code: 'model_failed',
    message: /patterns of the model's tokenizer took longer than 1000 ms to write this answer/,
  })
})

t.test('refusals are coded', async t => {
  const model = await loadFixture('tiny')
  await t.rejects(model.generate(request({ resolution: 100 })), {
    code: 'unsupported_resolution',
    message: 'Resolution 100 is not supported; tiny takes 64, 128, 256.',
  })
  await t.rejects(model.generate(request({ text: '٣'.repeat(2000) })), { code: 'question_too_long', param: 'question' })
})

t.test('an abort is noticed between runs and keeps its reason', async t => {
  const model = await loadFixture('tiny')
  await t.rejects(model.generate(request({ signal: AbortSignal.abort() })), { code: 'request_aborted' })
  const late = new CropVlmError('deadline_exceeded', 'too late')
  const during = new AbortController()
  const answer = model.generate(request({ maxNewTokens: 1000, temperature: 5, signal: during.signal }))
  setImmediate(() => setImmediate(() => during.abort(late)))
  await t.rejects(answer, { code: 'deadline_exceeded', message: 'too late' })
  t.ok((await model.generate(request({}))).tokens.length > 0, 'and the model goes on serving')
})

t.test('an answer stops where the model has no positions left', async t => {
  const model = await loadFixture('tiny')
  const text = '7'.repeat(1990)
  const { promptTokens, tokens } = await model.generate(request({ text, maxNewTokens: 500, temperature: 50 }))
  t.ok(promptTokens + tokens.length <= 2048)
})
