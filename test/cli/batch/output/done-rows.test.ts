import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { DoneRows } from '../../../../src/cli/batch/output/done-rows.js'
import { holds } from '../../../support/properties/runs.js'

const hash = (text: string) => BigInt(text.charCodeAt(0))

/** Claims all rows of an input. @returns those that are still to be asked */
function claimAll(done: DoneRows, input: string[]): number[] {
  return [...input.keys()].filter(index => !done.claim(index, hash(input[index] as string)))
}

holds(
  'with the same input, exactly the rows that are missing are asked, equal ones included',
  fc.property(
    fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 }),
    fc.array(fc.nat({ max: 29 })),
    (rows, chosen) => {
      // rows are written as they are completed, in any order
      const there = [...new Set(chosen)].filter(index => index < rows.length)
      const done = new DoneRows()
      for (const index of there) done.add(index, hash(rows[index] as string))
      const asked = claimAll(done, rows)
      assert.deepEqual(
        asked,
        [...rows.keys()].filter(index => !there.includes(index)),
      )
      assert.deepEqual({ left: done.left, changedAt: done.changedAt }, { left: 0, changedAt: null })
    },
  ),
  300,
)

const input = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 })
holds(
  'with another input, no row is lost: what is asked and what is there make up all rows',
  fc.property(input, input, (before, after) => {
    const done = new DoneRows()
    for (const [index, text] of before.entries()) done.add(index, hash(text))
    const asked = claimAll(done, after).map(index => after[index] as string)
    const count = (rows: string[], text: string) => rows.filter(row => row === text).length
    for (const text of 'abcd') {
      const [was, is, now] = [count(before, text), count(after, text), count(asked, text)]
      // each row that was not there is asked; none is claimed that is not there
      assert.ok(now >= is - Math.min(was, is), `${text} of ${before} and ${after}`)
    }
    assert.equal(done.left, before.length - (after.length - asked.length))
  }),
  300,
)

t.test('a row put in at the front is asked, and it alone', async t => {
  const done = new DoneRows()
  for (const [index, text] of [...'abcdef'].entries()) done.add(index, hash(text))
  t.same(claimAll(done, [...'xabcdef']), [0])
  t.match({ left: done.left, changedAt: done.changedAt }, { left: 0, changedAt: 0 })
})

t.test('a row that was corrected is asked, and the old one is left over', async t => {
  const done = new DoneRows()
  for (const [index, text] of [...'abcdef'].entries()) done.add(index, hash(text))
  t.same(claimAll(done, [...'abXdef']), [2])
  t.match({ left: done.left, changedAt: done.changedAt }, { left: 1, changedAt: 2 })
})

t.test('what two runs with different inputs have left is known in a third', async t => {
  const done = new DoneRows()
  for (const [index, text] of [...'abc'].entries()) done.add(index, hash(text))
  done.add(0, hash('x'))
  t.same(claimAll(done, [...'xabcd']), [4])
  t.equal(done.left, 0)
})

t.test('places far apart', async t => {
  const done = new DoneRows()
  done.add(5_000_000, 7n)
  t.equal(done.claim(4_999_999, 7n), false)
  t.equal(done.claim(5_000_000, 7n), true)
})
