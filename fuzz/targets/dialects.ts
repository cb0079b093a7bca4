/** What a model wrote, read by one of the dialects: a box in range, and its numbers where they are said to stand, or nothing. */
import assert from 'node:assert/strict'
import { boxProblem, parseBox } from '../../src/contract/box.js'
import { DIALECTS } from '../../src/cropper/dialects/dialects.js'
import { confidenceOf } from '../../src/cropper/remote/confidence.js'
import { placeBox } from '../../src/cropper/remote/place.js'
import { takeApart } from '../../src/openai/reply/thinking.js'
import { choices, type Target } from '../target.js'

const WORDS = [
  'bbox_2d',
  'box_2d',
  '<box>',
  '</box>',
  '<tool_call>',
  '<think>',
  '</think>',
  '[THINK]',
  'x1',
  'y1',
  'x2',
  'y2',
  'ymin',
  'left',
  '"bbox": [',
  '1e3',
]

export const target: Target = {
  isSync: true,
  maxLength: 16_384,
  maxMs: 100,
  words: WORDS,
  run(input) {
    const { numbers, rest } = choices(input, 5)
    const [which = 0, width = 0, height = 0, pictureEdge = 0, isCall = 0] = numbers
    const dialect = DIALECTS[which % DIALECTS.length]
    if (!dialect) return
    const text = rest.toString('utf8')
    const written = isCall % 2 === 1 ? { text: '', toolCalls: [text] } : { text, toolCalls: [] }
    const box = dialect.read(written)
    const { answer } = takeApart(text)
    assert.ok(answer.length <= text.length)
    const contract = parseBox(text)
    if ('box' in contract) assert.equal(boxProblem(contract.box), null)
    if (box === null) return
    assert.ok(box.numbers.every(Number.isFinite))
    for (const [i, [start, end]] of box.spans.entries())
      assert.equal(Number(text.slice(start, end)), box.numbers[i], `number ${i} is not at ${start} to ${end}`)
    const image = { width: 1 + width * 37, height: 1 + height * 37 }
    const picture = { width: 1 + pictureEdge * 8, height: 1 + pictureEdge * 6 }
    const placed = placeBox(box, dialect, dialect.growth, { image, picture })
    if ('box' in placed) assert.equal(boxProblem(placed.box), null, `${placed.box} is no box`)
    // tokens of some letters each, as an endpoint gives them
    const tokens = text.match(/.{1,3}/gs) ?? []
    const content = tokens.map((token, i) => ({ token, logprob: -(i % 7) / 3 }))
    const confidence = confidenceOf(text, box.spans, { content })
    assert.ok(confidence === null || (confidence >= 0 && confidence <= 1), `confidence ${confidence}`)
  },
}
