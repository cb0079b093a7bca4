import fc from 'fast-check'
import t from 'tap'
import { type Case, said } from '../../../src/cli/report/case.js'
import { groupCases, shareOut } from '../../../src/cli/report/groups.js'
import { holds } from '../../support/properties/runs.js'

const ANSWERS = ['12.50']

function one(id: string, withCrop: string | null, without: string | null, changes: Partial<Case> = {}): Case {
  const answers = changes.answers ?? ANSWERS
  return {
    id,
    kind: 'page',
    question: 'What is the total?',
    answers,
    image: null,
    trueBox: null,
    box: [0, 0, 50, 50],
    iou: null,
    decision: 'zoomed',
    reason: null,
    confidence: 0.5,
    withCrop: said(withCrop, null, answers),
    without: said(without, null, answers),
    error: null,
    ...changes,
  }
}

const named = (cases: Case[]) =>
  groupCases(cases).map(({ name, cases: members }) => [name, members.map(({ id }) => id)])

t.test('where the crop helped and harmed, the largest difference first', async t => {
  t.same(
    named([
      one('right, less sure', '12.50', '12.50', { confidence: 0.2 }),
      one('helped a little', '12.50', '12.5'),
      one('wrong', '99', '98'),
      one('harmed', '7', '12.50'),
      one('helped much', '12.50', 'nothing'),
      one('nearly right', '12.51', '98'),
      one('right', '12.50', '12.50.'),
      one('failed', null, null, { error: '502: no target', withCrop: null, without: null }),
    ]),
    [
      ['helped', ['helped much', 'helped a little']],
      ['harmed', ['harmed']],
      ['wrong', ['nearly right', 'wrong']],
      ['right', ['right', 'right, less sure']],
      ['failed', ['failed']],
    ],
  )
})

t.test('without right answers, and without answers', async t => {
  const answers = { answers: [] }
  t.same(
    named([
      one('same', 'A', ' a ', answers),
      one('other', 'A', 'B', answers),
      one('sure', null, null, { ...answers, confidence: 0.9 }),
      one('unsure', null, null, { ...answers, confidence: 0.1 }),
      one('not compared', 'A', null),
    ]),
    [
      ['differ', ['other']],
      ['agree', ['same']],
      ['boxes', ['unsure', 'not compared', 'sure']],
    ],
  )
})

t.test('a refusal is wrong, and its words are shown', async t => {
  t.match(said('', 'I cannot see that.', ['']), { text: 'I cannot see that.', refused: true, scores: { exact: 0 } })
  t.equal(said(undefined, null, ANSWERS), null)
})

t.test('what is shown is shared out between the groups', async t => {
  t.same(shareOut([100, 2, 50], 20), [9, 2, 9])
  t.same(shareOut([1, 2], 20), [1, 2])
  t.same(shareOut([5, 5, 5], 2), [1, 1, 0])
  t.same(shareOut([], 5), [])
})

holds(
  'of what is shared out nothing is lost, and no group gets more than it has',
  fc.property(fc.array(fc.nat({ max: 50 })), fc.nat({ max: 100 }), (sizes, most) => {
    const shown = shareOut(sizes, most)
    const sum = (numbers: number[]) => numbers.reduce((all, number) => all + number, 0)
    return sum(shown) === Math.min(most, sum(sizes)) && shown.every((number, i) => number <= (sizes[i] as number))
  }),
  100,
)
