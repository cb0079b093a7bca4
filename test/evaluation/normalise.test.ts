import t from 'tap'
import { normaliseAsReference, normaliseOfficially, normaliseSpacing } from '../../src/evaluation/normalise.js'

t.test('the official normalisation, rule by rule', async t => {
  const cases: [string, string, string][] = [
    ['case', 'Dakota DIGITAL', 'dakota digital'],
    ['articles', 'the cat and a dog, an ant', 'cat and dog ant'],
    ['number words', 'ten of none', '10 of 0'],
    ['contractions without their apostrophe', "dont couldve thats isn't", "don't could've that's isn't"],
    ['words that only look like contractions', 'well were its', 'well were its'],
    ['a mark beside a space vanishes', 'red, blue', 'red blue'],
    ['a mark inside a word parts it', 'black/white', 'black white'],
    ['commas inside numbers vanish', '1,000', '1000'],
    ['points inside numbers stay', '3.5', '3.5'],
    ['other points vanish', 'St. Louis.', 'st louis'],
    ['apostrophes and colons stay', "joe's 10:30", "joe's 10:30"],
    ['spaces and lines', '  two \n\t lines ', '2 lines'],
    ['nothing is left', 'the.', ''],
  ]
  for (const [rule, answer, normal] of cases) t.equal(normaliseOfficially(answer), normal, rule)
})

t.test('the two plain ones', async t => {
  t.equal(normaliseAsReference('The End..'), 'the end.')
  t.equal(normaliseAsReference(' Yes. '), ' yes. ', 'as it stands in the reference code')
  t.equal(normaliseSpacing('  The   End . '), 'the end')
})
