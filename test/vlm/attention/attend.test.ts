/** Where a model looks is where transformers' looks; `fixtures/golden/attention-boxes.json` is transformers' own. */
import t from 'tap'
import { roundOutwards } from '../../../src/contract/box.js'
import { targetPrompt } from '../../../src/contract/prompts.js'
import { CropVlmError } from '../../../src/errors.js'
import type { AttentionRequest, ImageAttention } from '../../../src/vlm/attention/attend.js'
import { attentionBox, baseSide } from '../../../src/vlm/attention/box.js'
import { GENERAL_QUESTION } from '../../../src/vlm/attention/map.js'
import { type PromptImage, plainImage } from '../../../src/vlm/request.js'
import { goldenCases, label } from '../../support/goldens.js'
import { exactly } from '../../support/images/exact.js'
import { pattern } from '../../support/images/patterns.js'
import { loadFixture } from '../../support/models.js'

interface Case {
  pattern: string
  width: number
  height: number
  longest_edge: number
  question: string
  rows: number
  cols: number
  cells: number[]
  box: number[]
}

const { signal } = new AbortController()
const request = (image: PromptImage, question: string, changes: Partial<AttentionRequest> = {}): AttentionRequest => ({
  image,
  text: targetPrompt(question),
  general: targetPrompt(GENERAL_QUESTION),
  resolution: null,
  signal,
  ...changes,
})

/** An image that is told from others by `key`; `opened` counts how often it was opened. */
function keyed(key: string) {
  const image = { key, opened: 0, open: plainImage(pattern('strokes', 300, 200)).open }
  return Object.assign(image, {
    async open() {
      image.opened++
      return await plainImage(pattern('strokes', 300, 200)).open()
    },
  })
}

function value(outcome: PromiseSettledResult<ImageAttention> | undefined): ImageAttention {
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

t.test('maps and boxes of the golden', async t => {
  const model = await loadFixture('tiny-attention', { role: 'target' })
  t.ok(model.attends)
  const cases = goldenCases<Case>('attention-boxes.json')
  t.equal(cases.length, 15)
  for (const { question, longest_edge, rows, cols, cells, box, ...shown } of cases) {
    const image = plainImage(exactly(pattern(shown.pattern, shown.width, shown.height), longest_edge))
    const [outcome] = await model.attendAll([request(image, question, { resolution: longest_edge })])
    const { map, tile } = value(outcome)
    const name = `${shown.pattern} ${shown.width}x${shown.height} at ${longest_edge}: ${label(question)}`
    t.same([map.rows, map.cols], [rows, cols], name)
    const worst = Math.max(...cells.map((cell, i) => Math.abs((map.cells[i] as number) / cell - 1)))
    t.ok(worst < 1e-3, `${name}: within ${worst}`)
    t.same(roundOutwards(attentionBox(map, shown, baseSide(map, shown, tile))), box, `${name}: the box`)
  }
})

t.test('questions about one image share what can be shared, and give what each gives alone', async t => {
  for (const prefixCacheBytes of [0, 1e8]) {
    const model = await loadFixture('tiny-attention', { prefixCacheBytes })
    const image = keyed('a')
    const [first, second] = (await model.attendAll([request(image, 'Who?'), request(image, 'Where is it?')])).map(value)
    t.equal(image.opened, 1)
    t.same([first?.runs, second?.runs], [2, 1], 'the general question is asked once')
    t.same([first?.reused, second?.reused], [false, true])
    t.equal(first?.tiles, 1)
    t.same(first?.size, { width: 300, height: 200 })
    const [alone] = (await model.attendAll([request(keyed('b'), 'Where is it?')])).map(value)
    const worst = Math.max(
      ...(alone?.map.cells ?? []).map((cell, i) => Math.abs((second?.map.cells[i] ?? 0) / cell - 1)),
    )
    t.ok(worst < 1e-4, `within ${worst}`)
    const again = keyed('a')
    const [later] = (await model.attendAll([request(again, 'Who?')])).map(value)
    t.equal(again.opened, prefixCacheBytes === 0 ? 1 : 0, 'a later batch finds the image in the cache')
    t.equal(later?.reused, prefixCacheBytes > 0)
  }
})

t.test('a request that fails does not affect the others', async t => {
  const model = await loadFixture('tiny-attention')
  const aborted = AbortSignal.abort(new CropVlmError('request_aborted', 'gone'))
  const outcomes = await model.attendAll([
    request(keyed('a'), 'Who?', { signal: aborted }),
    request(keyed('a'), 'Who?'),
    request(keyed('a'), 'Who?', { resolution: 65 }),
  ])
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'request_aborted' } },
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'unsupported_resolution' } },
  ])
})

t.test('a folder without attention says how to get it', async t => {
  for (const folder of ['tiny', 'tiny-hub']) {
    const model = await loadFixture(folder)
    t.equal(model.attends, false)
    const [outcome] = await model.attendAll([request(keyed('a'), 'Who?')])
    t.match(outcome, { reason: { code: 'invalid_model', message: /cropvlm-train export --attention/ } })
  }
})
