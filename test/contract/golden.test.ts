/** The text and the pixels of a box agree with the trainer's, which wrote `fixtures/golden/contract.json`. */
import t from 'tap'
import { type Box, formatBox, parseBox, toPixels } from '../../src/contract/box.js'
import { oneLine } from '../../src/contract/question.js'
import { goldenCases } from '../support/goldens.js'

type Case =
  | { kind: 'texts'; text: string; verdict: string; box: Box | null }
  | { kind: 'boxes'; box: Box; text: string }
  | { kind: 'pixels'; box: Box; width: number; height: number; pixels: number[] }
  | { kind: 'questions'; question: string; line: string }
  | { kind: 'folder' }

const cases = goldenCases<Case>('contract.json')

t.test('what a text says, and what is wrong with it', async t => {
  for (const found of cases)
    if (found.kind === 'texts') {
      const wanted = found.box ? { box: found.box } : { problem: found.verdict }
      t.strictSame(parseBox(found.text), wanted, JSON.stringify(found.text))
    }
})

t.test('a box as text', async t => {
  for (const found of cases) if (found.kind === 'boxes') t.equal(` ${formatBox(found.box)}`, found.text)
})

t.test('a box in pixels', async t => {
  for (const found of cases)
    if (found.kind === 'pixels') {
      const { box, width, height, pixels } = found
      t.same(toPixels(box, { width, height }), pixels, `${box} of ${width}x${height}`)
    }
})

t.test('white space of a question', async t => {
  for (const found of cases)
    if (found.kind === 'questions') t.equal(oneLine(found.question), found.line, encodeURI(found.question))
})

t.test('there are cases of each kind', async t => {
  for (const [kind, least] of Object.entries({ texts: 150, boxes: 6, pixels: 40, questions: 200, folder: 1 }))
    t.ok(cases.filter(found => found.kind === kind).length >= least, kind)
})
