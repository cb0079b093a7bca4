import t from 'tap'
import {
  anls,
  boxScores,
  exactMatch,
  mean,
  percentile,
  relativeSize,
  vqaAccuracy,
  vqaAccuracyAsReference,
} from '../../src/evaluation/measures.js'

const times = (count: number, answer: string) => new Array<string>(count).fill(answer)
const near = (found: number, wanted: number) => Math.abs(found - wanted) < 1e-12

t.test('exact match', async t => {
  t.equal(exactMatch(' 42. ', ['41', '42']), 1)
  t.equal(exactMatch('Dakota  Digital', ['dakota digital']), 1)
  t.equal(exactMatch('4', ['42']), 0)
  t.equal(exactMatch('12.50', ['$12.50']), 0, 'marks count')
  t.equal(exactMatch('the cat', ['cat']), 0, 'articles count')
  t.equal(exactMatch('', ['42']), 0)
})

t.test('VQA accuracy over the ten leave-one-out sets', async t => {
  // two of ten agree: two sets leave one of them out and keep 1 match (1/3), eight keep both (2/3)
  t.ok(near(vqaAccuracy('red', [...times(2, 'red'), ...times(8, 'blue')]), (2 * (1 / 3) + 8 * (2 / 3)) / 10))
  // three of ten: three sets keep 2 (2/3), seven keep 3 (1)
  t.ok(near(vqaAccuracy('red', [...times(3, 'red'), ...times(7, 'blue')]), (3 * (2 / 3) + 7) / 10))
  t.equal(vqaAccuracy('red', [...times(4, 'red'), ...times(6, 'blue')]), 1)
  t.equal(vqaAccuracy('green', [...times(4, 'red'), ...times(6, 'blue')]), 0)
  // one of ten: the set that leaves it out has 0, nine have 1/3
  t.ok(near(vqaAccuracy('red', ['red', ...times(9, 'blue')]), 0.3))
  t.equal(vqaAccuracy('The Two dogs!', times(10, '2 dogs')), 1, 'normalised')
})

t.test('VQA accuracy of data with fewer than ten answers', async t => {
  t.equal(vqaAccuracy('42', ['42']), 1)
  t.equal(vqaAccuracy('41', ['42']), 0)
  // five answers count twice each: two matches of ten
  t.ok(near(vqaAccuracy('a1', ['a1', 'b', 'c', 'd', 'e']), 0.6))
  t.throws(() => vqaAccuracy('42', []), RangeError)
})

t.test("the reference code's VQA accuracy normalises next to nothing", async t => {
  t.equal(vqaAccuracyAsReference('Red.', times(10, 'red')), 1)
  t.equal(vqaAccuracyAsReference('the red', times(10, 'red')), 0)
  t.equal(vqaAccuracy('the red', times(10, 'red')), 1)
})

t.test('ANLS at 0.5', async t => {
  t.equal(anls('12.50', ['12.50']), 1)
  t.ok(near(anls('12.5', ['12.50']), 0.8), 'one edit in five letters')
  t.equal(anls('abxy', ['abcd']), 0, 'half wrong is wrong')
  t.ok(near(anls('kitten', ['sitting']), 1 - 3 / 7))
  t.ok(near(anls('Dakota', ['nothing', 'DAKOTAS']), 1 - 1 / 7), 'the best of the answers, case aside')
  t.equal(anls('42.', ['42']), 1, 'a final full stop does not count')
  t.equal(anls('', ['abc']), 0)
  t.equal(anls('ñ🙂', ['ñ🙂']), 1)
})

t.test('boxes', async t => {
  // overlap 25 x 25, union 2500 + 2500 - 625
  t.same(boxScores([0, 0, 50, 50], [25, 25, 75, 75]), { iou: 625 / 4375, recall: 0.25, fullRecall: 0 })
  t.same(boxScores([10, 10, 60, 60], [20, 20, 30, 30]), { iou: 0.04, recall: 1, fullRecall: 1 })
  t.same(boxScores([0, 0, 10, 10], [20, 20, 30, 30]), { iou: 0, recall: 0, fullRecall: 0 })
  t.same(boxScores([20, 20, 30, 30], [20, 20, 30, 30]), { iou: 1, recall: 1, fullRecall: 1 })
  t.equal(relativeSize([0, 0, 50, 50]), 0.25)
  t.equal(relativeSize([0, 0, 100, 100]), 1)
})

t.test('mean and percentiles', async t => {
  t.equal(mean([1, 2, 6]), 3)
  t.ok(Number.isNaN(mean([])))
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  t.same([percentile(hundred, 0.5), percentile(hundred, 0.9), percentile(hundred, 0.99)], [50, 90, 99])
  t.equal(percentile([7], 0.99), 7)
  t.ok(Number.isNaN(percentile([], 0.5)))
})
