import t from 'tap'
import { kindOf } from '../../src/text/kinds.js'

t.test('the kind of answer that a question asks for', async t => {
  const kinds = {
    'What is the e-mail address?': 'email',
    'What is the website?': 'link',
    'Which phone number is given?': 'phone',
    'What percentage is left?': 'percent',
    'How many guests came?': 'number',
    'What is the order number?': 'number',
    'How much was paid?': 'amount',
    'What is the total?': 'amount',
    'When was this issued?': 'date',
    'What time does it close?': 'time',
    'Who signed it?': 'name',
    'What is the name of the store?': 'name',
    'What is the address?': undefined,
  }
  for (const [question, name] of Object.entries(kinds)) t.equal(kindOf(question)?.name, name, question)
})

t.test('what a line holds', async t => {
  const found = (question: string, text: string) => kindOf(question)?.find(text)?.text
  const date = 'Which date?'
  for (const [text, value] of [
    ['Date: 25/12/2018 8:13 PM', '25/12/2018'],
    ['25/12/20188:13PM', '25/12/2018'],
    ['01-03-185:23', '01-03-18'],
    ['2025-10-21 08:45', '2025-10-21'],
    ['03Mar201818:22', '03Mar2018'],
    ['March 3, 2018', 'March 3, 2018'],
    ['Tel 03-5555 1234', undefined],
    ['45/77/1999', undefined],
  ] as const)
    t.equal(found(date, text), value, text)
  const amount = 'How much?'
  for (const [text, value] of [
    ['TOTAL:9.00', '9.00'],
    ['$ 1,250.00', '$ 1,250.00'],
    ['10.5%', undefined],
    ['12:30', undefined],
    ['25/12/2018', undefined],
  ] as const)
    t.equal(found(amount, text), value, text)
  t.equal(found('What time?', 'Mon 7:30 am'), '7:30 am')
  t.equal(found('Which website?', 'visit www.example.com today'), 'www.example.com')
  t.equal(found('Which phone?', 'Tel. 020 7946 0812'), '020 7946 0812')
  t.equal(found('Who?', '12345678'), undefined)
})
