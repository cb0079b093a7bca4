import t from 'tap'
import { chooseLines } from '../../src/text/rule.js'
import { page, type Row } from '../support/images/page.js'

const CASES: readonly [name: string, rows: readonly Row[], asked: readonly [question: string, text: string][]][] = [
  [
    'labels left of values and above them',
    [
      [[30, 'Membership form']],
      [
        [5, 'Surname'],
        [40, 'Hartmann'],
      ],
      [
        [5, 'Born'],
        [40, '14 March 1987'],
      ],
      [
        [5, 'Phone'],
        [40, '+43 316 555 0182'],
      ],
      [
        [5, 'E-mail'],
        [40, 'clara.h@example.org'],
      ],
      [[5, 'Occupation']],
      [[5, 'Cartographer']],
    ],
    [
      ['What is the surname?', 'Hartmann'],
      ['When was she born?', '14 March 1987'],
      ['What is the phone number?', '+43 316 555 0182'],
      ['What is the e-mail address?', 'clara.h@example.org'],
      ['What is the title of this form?', 'Membership form'],
    ],
  ],
  [
    'the cell where a row and a column meet',
    [
      [
        [5, 'Town'],
        [40, 'Inhabitants'],
        [70, 'Growth'],
      ],
      [
        [5, 'Norwick'],
        [40, '182,340'],
        [70, '4.1%'],
      ],
      [
        [5, 'Elmstead'],
        [40, '97,105'],
        [70, '-1.3%'],
      ],
    ],
    [
      ['How many inhabitants does Elmstead have?', '97,105'],
      ['What is the growth of Norwick?', '4.1%'],
    ],
  ],
  [
    'of several amounts the one that is asked for',
    [
      [
        [5, 'Gauge'],
        [70, '97.00'],
      ],
      [
        [5, 'Hose'],
        [70, '23.00'],
      ],
      [
        [5, 'Subtotal'],
        [70, '120.00'],
      ],
      [
        [5, 'Tax 10%'],
        [70, '12.00'],
      ],
      [
        [5, 'Total'],
        [70, '132.00'],
      ],
    ],
    [
      ['What is the total?', '132.00'],
      ['What is the subtotal?', '120.00'],
      ['How much has to be paid?', '132.00'],
      ['How much is the hose?', '23.00'],
    ],
  ],
  [
    'a slip of the reader',
    [
      [
        [5, 'Recelpt'],
        [40, 'X-2217'],
      ],
      [
        [5, 'Desk'],
        [40, 'B-4'],
      ],
    ],
    [['What is the receipt number?', 'X-2217']],
  ],
  [
    'a missing space',
    [[[5, 'InvoiceDate:25/12/20188:13PM']], [[5, '10:20 closed']]],
    [['What is the invoice date?', 'InvoiceDate:25/12/20188:13PM']],
  ],
]

for (const [name, rows, asked] of CASES)
  t.test(name, async t => {
    for (const [question, text] of asked) {
      const found = chooseLines(page(...rows), question)
      t.equal(found.text, text, question)
      t.equal(found.reason, null)
      const line = page(...rows).lines.find(one => one.text === text)
      const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = line?.box ?? []
      t.ok(
        found.box[0] <= x1 && found.box[1] <= y1 && found.box[2] >= x2 && found.box[3] >= y2,
        'the box holds the line',
      )
      t.ok(found.confidence > 0 && found.confidence < 1)
    }
  })

t.test('no text, and nothing that fits', async t => {
  t.match(chooseLines(page(), 'What is the total?'), {
    box: [0, 0, 100, 100],
    reason: 'no_text',
    confidence: 0,
    text: '',
  })
  const sign = page([[20, 'NO PARKING']], [[20, 'Mon - Fri']])
  for (const question of ['What colour is the car?', 'What is the phone number?', 'How many people are there?'])
    t.match(chooseLines(sign, question), { box: [0, 0, 100, 100], reason: 'no_match', text: '' }, question)
})

t.test('a label that says it is surer than a shape alone', async t => {
  const lines = [[[5, 'Delivered']], [[5, '03/11/2025']], [[5, 'Thank you']]] as const
  const [labelled, alone] = ['When was this delivered?', 'When was the bridge opened?'].map(
    question => chooseLines(page(...lines), question).confidence,
  )
  t.ok((labelled ?? 0) > (alone ?? 1) + 0.1, `${labelled} ${alone}`)
})

t.test('what the question names is nowhere on the page: unsure', async t => {
  const sign = page([[20, 'HARBOUR CAFE']], [[5, 'Date: 03/11/2025']], [[5, 'Total 12.00']], [[5, 'Thank you']])
  const confidence = (question: string) => chooseLines(sign, question).confidence
  for (const [named, foreign] of [
    ['What is the date?', 'What is the date of birth?'],
    ['What is the total?', 'How much do students pay?'],
    ['What is the name of the cafe?', 'Who won the match?'],
    ['What is the name of the cafe?', 'Who is the author?'],
  ] as const) {
    t.ok(confidence(foreign) < 0.6, `${foreign} ${confidence(foreign)}`)
    t.ok(confidence(named) > confidence(foreign) + 0.2, `${named} ${confidence(named)}`)
  }
})

t.test('a sentence is no name', async t => {
  const slip = page([[30, 'Margit Steiner']], [[5, 'Lamp']], [[5, 'Goods sold are not returnable']])
  t.equal(chooseLines(slip, 'Who sold the goods?').text, 'Margit Steiner')
})

t.test('a box holds two lines where they are as likely and close, one where they are far apart', async t => {
  const near = chooseLines(page([[5, 'Open 9:00']], [[5, 'Open 10:00']]), 'When does it open, what time?')
  t.ok(near.box[1] <= 4 && near.box[3] >= 10)
  const rows = Array.from(
    { length: 20 },
    (_, i): Row => [[5, i === 0 || i === 19 ? 'We open early in the morning at 9:00' : 'words']],
  )
  const far = chooseLines(page(...rows), 'What time does it open?')
  t.ok(far.box[3] - far.box[1] < 20)
})
