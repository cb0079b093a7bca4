import t from 'tap'
import { amountOf, sums } from '../../src/text/sums.js'

t.test('the value of an amount', async t => {
  for (const [text, value] of [
    ['$1,250.00', 1250],
    ['1.250,50', 1250.5],
    ['9.00', 9],
    ['12', 12],
    ['none', null],
  ] as const)
    t.equal(amountOf(text), value, text)
})

t.test('amounts that others add up to', async t => {
  t.same(sums([97, 23.2, 9.8, 130]), [false, false, false, true])
  t.same(sums([3, 50, 40, 10]), [false, false, false, false])
  t.same(sums([40, 50, 10]), [true, false, false], 'what was given less what is given back')
  t.same(sums([null, 0, 5]), [false, false, false])
})
