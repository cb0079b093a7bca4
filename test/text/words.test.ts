import t from 'tap'
import { likeness, wordsOf } from '../../src/text/words.js'

t.test('the words of a text, and those that say something', async t => {
  t.same(wordsOf('What is the Issued date of 2 boxes?'), {
    all: ['what', 'is', 'the', 'issu', 'date', 'of', '2', 'boxe'],
    telling: ['issu', 'date', '2', 'boxe'],
  })
  t.same(wordsOf('税額 12'), { all: ['税', '額', '12'], telling: ['税', '額', '12'] })
  t.same(wordsOf('...'), { all: [], telling: [] })
})

t.test('how alike two words are', async t => {
  for (const [asked, seen, value] of [
    ['total', 'total', 1],
    ['total', 'tota1', 0.7],
    ['issue', 'issuer', 0.7],
    ['payer', 'payers', 0.7],
    ['total', 'grandtotalrm', 0.6],
    ['tax', 'taxi', 0],
    ['total', 'date', 0],
  ] as const)
    t.equal(likeness(asked, seen), value, `${asked} ${seen}`)
})
