/** The measures and the growth of a box agree with the trainer's, which wrote `fixtures/golden/measures.json`. */
import t from 'tap'
import { type Box, grow, roundOutwards } from '../../src/contract/box.js'
import {
  anls,
  boxScores,
  type Corners,
  exactMatch,
  relativeSize,
  vqaAccuracy,
  vqaAccuracyAsReference,
} from '../../src/evaluation/measures.js'
import { normaliseAsReference, normaliseOfficially, normaliseSpacing } from '../../src/evaluation/normalise.js'
import { isRefusal } from '../../src/evaluation/refusal.js'
import { goldenCases } from '../support/goldens.js'

interface Text {
  kind: 'texts'
  text: string
  official: string
  reference: string
  plain: string
}

interface Answer {
  kind: 'answers'
  prediction: string
  answers: string[]
  exact_match: number
  /** Null where there are no answers. */
  vqa_accuracy: number | null
  vqa_accuracy_as_reference: number | null
  anls: number
}

interface Boxes {
  kind: 'boxes'
  name: string
  predicted: Corners
  true: Corners
  iou: number
  recall: number
  full_recall: number
  size: number
}

interface Growth {
  kind: 'growth'
  box: Box
  factor: number
  expanded: number[]
  whole: number[]
}

interface Refusal {
  kind: 'refusals'
  answer: string
  is_refusal: boolean
}

const cases = goldenCases<Text | Answer | Boxes | Growth | Refusal>('measures.json')
const of = <Case extends { kind: string }>(kind: Case['kind']) =>
  cases.filter(found => found.kind === kind) as never as Case[]

/** Of the 12 digits after the point that a golden has, those that do not depend on the order of additions. */
const rounded = (value: number) => Math.round(value * 1e9) / 1e9

t.test('texts', async t => {
  for (const { text, official, reference, plain } of of<Text>('texts')) {
    const name = JSON.stringify(text)
    t.equal(normaliseOfficially(text), official, `official ${name}`)
    t.equal(normaliseAsReference(text), reference, `reference ${name}`)
    t.equal(normaliseSpacing(text), plain, `plain ${name}`)
  }
})

t.test('answers', async t => {
  for (const { prediction, answers, ...wanted } of of<Answer>('answers')) {
    const name = JSON.stringify({ prediction, answers })
    t.equal(exactMatch(prediction, answers), wanted.exact_match, `exact match ${name}`)
    t.equal(rounded(anls(prediction, answers)), rounded(wanted.anls), `ANLS ${name}`)
    const { vqa_accuracy: vqa, vqa_accuracy_as_reference: reference } = wanted
    if (vqa === null || reference === null) {
      t.throws(() => vqaAccuracy(prediction, answers), RangeError)
      t.throws(() => vqaAccuracyAsReference(prediction, answers), RangeError)
      continue
    }
    t.equal(rounded(vqaAccuracy(prediction, answers)), rounded(vqa), `VQA accuracy ${name}`)
    t.equal(
      rounded(vqaAccuracyAsReference(prediction, answers)),
      rounded(reference),
      `reference's VQA accuracy ${name}`,
    )
  }
})

t.test('boxes', async t => {
  for (const { name, predicted, true: truth, iou, recall, full_recall, size } of of<Boxes>('boxes')) {
    const found = boxScores(predicted, truth)
    t.equal(rounded(found.iou), rounded(iou), `IoU: ${name}`)
    t.equal(rounded(found.recall), rounded(recall), `recall: ${name}`)
    t.equal(found.fullRecall, full_recall, `full recall: ${name}`)
    t.equal(rounded(relativeSize(predicted)), rounded(size), `size: ${name}`)
  }
})

t.test('growth', async t => {
  for (const { box, factor, expanded, whole } of of<Growth>('growth')) {
    const grown = grow(box, factor)
    t.same(grown.map(rounded), expanded.map(rounded), `${box} by ${factor}`)
    t.same(roundOutwards(grown), whole, `whole per cents around ${box} by ${factor}`)
  }
})

t.test('refusals', async t => {
  for (const { answer, is_refusal } of of<Refusal>('refusals'))
    t.equal(isRefusal(answer), is_refusal, JSON.stringify(answer))
})

t.test('there are cases of each kind', async t => {
  for (const [kind, least] of Object.entries({ texts: 400, answers: 200, boxes: 20, growth: 200, refusals: 100 }))
    t.ok(cases.filter(found => found.kind === kind).length >= least, kind)
})
