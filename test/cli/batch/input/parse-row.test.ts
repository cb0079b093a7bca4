import t from 'tap'
import { parseRow } from '../../../../src/cli/batch/input/parse-row.js'

const settings = { images: '/data', question: null, optionNames: ['expand', 'zoom'] }
const parse = (row: unknown, changes = {}) => parseRow(JSON.stringify(row), { ...settings, ...changes })

t.test("a row of the trainer's manifest", async t => {
  const copied = { kind: 'receipt', answers: ['7'], box: [1, 2, 3, 4] }
  t.same(parse({ id: 'r1', image: 'images/1.png', question: 'What is the total?', ...copied }), {
    id: 'r1',
    imageName: 'images/1.png',
    image: { path: '/data/images/1.png' },
    question: 'What is the total?',
    options: {},
    copied,
  })
})

t.test('options of the route are taken, and copied as all other keys', async t => {
  t.match(parse({ image: '/a.png', question: 'What?', expand: 2, target: 'qwen' }), {
    id: null,
    image: { path: '/a.png' },
    options: { expand: 2, target: undefined },
    copied: { expand: 2, target: 'qwen' },
  })
})

t.test('data URLs and links are for the service to read', async t => {
  const link = 'https://example.org/a.png'
  t.match(parse({ image: link, question: 'What?' }), { image: { text: link }, imageName: link })
  const data = 'data:image/png;base64,AAAA'
  t.match(parse({ id: 5, image: data, question: 'What?' }), { id: 5, image: { text: data }, imageName: null })
})

t.test('the question of the command line is for rows without one', async t => {
  t.match(parse({ image: 'a' }, { question: 'Who?' }), { question: 'Who?' })
  t.match(parse({ image: 'a', question: 'What?' }, { question: 'Who?' }), { question: 'What?' })
})

t.test('what is no row is told', async t => {
  const wrong = (row: unknown, message: RegExp, id: unknown = null) =>
    t.match(parse(row), { code: 'invalid_row', message, id })
  t.match(parseRow('{"image": ', settings), { code: 'invalid_row', message: /^The row is not JSON: / })
  wrong([1], /not a JSON object such as/)
  wrong(null, /not a JSON object/)
  wrong({ id: 'a', question: 'What?' }, /"image" must be a path, a data URL or a link/, 'a')
  wrong({ id: 7, image: 'a.png' }, /no "question", and the command line gives none/, 7)
  wrong({ image: 'a.png', question: '  ' }, /no "question"/)
  wrong({ id: {}, image: 'a.png', question: 'What?' }, /"id" must be/)
  // the whole batch ended where the row was written again
  const deep = `{"image": "a.png", "question": "What?", "x": ${'['.repeat(9000)}${']'.repeat(9000)}}`
  t.match(parseRow(deep, settings), { code: 'invalid_row', message: /nest over 100 levels deep in the row/ })
})
