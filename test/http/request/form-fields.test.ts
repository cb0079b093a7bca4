import t from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'

const ASK = { image: IMAGE, question: 'WHO made it?' }

t.test('every way to send a list in a form', async t => {
  const { app, engine } = await makeApp(t)
  const lists: [sent: string[], questions: string[]][] = [
    [
      ['What is the total?', 'When?'],
      ['What is the total?', 'When?'],
    ],
    [['["What is the total?", "When?"]'], ['What is the total?', 'When?']],
    [['Only one?'], ['Only one?']],
    // some of several fields of a plain HTML form are left empty
    [
      ['', 'First?', ' ', 'Second?'],
      ['First?', 'Second?'],
    ],
    // repeated fields are texts, whatever they look like; so is a lone one that is no JSON
    [
      ['["a"]', 'b'],
      ['["a"]', 'b'],
    ],
    [['[Figure 2] What is shown?'], ['[Figure 2] What is shown?']],
    [Array(32).fill('q'), Array(32).fill('q')],
  ]
  for (const [sent, questions] of lists) {
    const { status, body } = await post(app, '/crop', { image: IMAGE, questions: sent })
    t.equal(status, 200, sent.join())
    t.strictSame(jobsOf(engine, 'locate').at(-1)?.questions, questions)
    t.strictSame(
      body.results.map(({ question }: { question: string }) => question),
      questions,
    )
  }
  for (const [sent, message] of [
    [Array(33).fill('q'), /1 to 32 texts/],
    [['["a", "b"'], /JSON array/],
    [['["a", 7]'], /JSON array/],
    [['[]'], /1 to 32/],
  ] as const) {
    const { status, body } = await post(app, '/crop', { image: IMAGE, questions: sent })
    t.equal(status, 400)
    t.match(body.error, { code: 'invalid_option', param: 'questions', message })
  }
  const twice = await post(app, '/crop', { image: IMAGE, question: ['a', 'b'] })
  t.match(twice.body.error, { code: 'invalid_option', message: /`question` was sent twice/ })
})

t.test('a plain HTML form: what is left blank is as good as left out', async t => {
  const { app, engine } = await makeApp(t)
  const blank = { resolution: '', expand: ' ', return: '', format: '', quality: '\r\n' }
  const { status } = await post(app, '/crop', { image: IMAGE, question: 'q', questions: '', ...blank })
  t.equal(status, 200)
  t.strictSame(engine.jobs, [{ kind: 'locate', image: IMAGE, questions: ['q'], resolution: null, keepPixels: false }])
  const list = await post(app, '/crop', { image: IMAGE, question: '', questions: ['a', ''] })
  t.equal(list.status, 200)
  t.strictSame(jobsOf(engine, 'locate')[1]?.questions, ['a'])
  const none = await post(app, '/crop', { image: IMAGE, question: ' ', questions: '' })
  t.match(none.body.error, { code: 'missing_field', param: 'question', message: /empty/ })
  const noFile = await post(app, '/crop', { image: '', question: 'q' })
  t.match(noFile.body.error, { code: 'missing_field', param: 'image', message: /missing; send it as a JPEG, PNG/ })
})

t.test('booleans of a form, as several languages write them', async t => {
  const { app } = await makeApp(t)
  for (const compare of ['true', 'True', '1', 'on'])
    t.match((await post(app, '/answer', { ...ASK, compare })).body.compare, { agrees: false }, compare)
  for (const compare of ['false', 'False', '0', 'off', '']) {
    const { status, body } = await post(app, '/answer', { ...ASK, compare })
    t.equal(status, 200)
    t.notOk('compare' in body, compare)
  }
  for (const compare of ['TRUE', 'yes', '2', 'constructor'])
    t.match((await post(app, '/answer', { ...ASK, compare })).body.error, { code: 'invalid_option' }, compare)
  const json = await post(app, '/answer', { json: { image: IMAGE.toString('base64'), question: 'q', compare: 'true' } })
  t.match(json.body.error, { code: 'invalid_option', message: /true or false/ }, 'JSON has booleans of its own')
})
