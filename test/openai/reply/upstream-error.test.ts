import t from 'tap'
import { errorIn, errorOfRefusal } from '../../../src/openai/reply/upstream-error.js'

t.test('what is no error', async t => {
  for (const body of [
    null,
    7,
    'x',
    [],
    [1],
    {},
    { choices: [], error: 'x' },
    { error: null },
    { error: '' },
    { error: false },
    { choices: [], error: {} },
    { choices: [{ error: null }] },
    { message: { content: 'm' }, done: true },
    { message: 'm' },
  ])
    t.equal(errorIn(body), null, JSON.stringify(body))
})

t.test('the words, the code and the type of each shape', async t => {
  const rows: [body: unknown, message: string | null, code?: string | null][] = [
    [{ error: { message: 'm', code: 'c', type: 't' } }, 'm', 'c'],
    [{ error: { message: 'm', code: 404 } }, 'm', '404'],
    [[{ error: { message: 'm', code: 400 } }], 'm', '400'],
    [{ error: 'm' }, 'm'],
    [{ error: 'm', code: 'c' }, 'm', 'c'],
    [{ error: 'Not Found', message: 'No static resource', status: 404 }, 'Not Found: No static resource'],
    [{ object: 'error', message: 'm', code: 400, type: 'BadRequestError' }, 'm', '400'],
    [{ detail: 'm' }, 'm'],
    [{ detail: [{ loc: ['body'], msg: 'm' }] }, 'm'],
    [{ detail: { error: { message: 'm' } } }, 'm'],
    [{ errors: [{ message: 'm' }] }, 'm'],
    [{ error: { message: { detail: 'm' } } }, 'm'],
    [{ error: { message: 'm', metadata: { raw: '{"message": "r"}' } } }, 'm: r'],
    [{ error: { message: 'm', metadata: { raw: 'r' } } }, 'm: r'],
    [{ error: { code: 'c' } }, null, 'c'],
    [{ error: true, message: 'm' }, 'm'],
    [
      { choices: [{ message: { content: '' }, finish_reason: 'error', error: { message: 'm', code: 502 } }] },
      'm',
      '502',
    ],
    [{ choices: [{ delta: { content: '' } }], error: { message: 'm', code: 'c' } }, 'm', 'c'],
    [{ code: 30001, message: 'm', data: null }, 'm', '30001'],
    [{ success: false, message: 'm' }, 'm'],
    [{ error: { message: '<html>' } }, null],
  ]
  for (const [body, message, code = null] of rows) {
    t.match(errorIn(body), { message, code }, JSON.stringify(body))
    t.match(errorOfRefusal(body), { message, code }, JSON.stringify(body))
  }
})

t.test('a status that is an error makes one of anything', async t => {
  const rows: [body: unknown, message: string | null][] = [
    [{ message: 'm' }, 'm'],
    ['m', 'm'],
    ['<html>m</html>', null],
    ['', null],
    [null, null],
    [{ choices: [], message: 'm' }, 'm'],
    [[], null],
  ]
  for (const [body, message] of rows) t.match(errorOfRefusal(body), { message, code: null, type: null })
})

t.test('the field that it is about', async t => {
  const refused = { type: 'extra_forbidden', loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' }
  const rows: [body: unknown, param: string | null][] = [
    [{ error: { message: 'm', param: 'max_tokens' } }, 'max_tokens'],
    [{ object: 'error', message: 'm', param: 'temperature' }, 'temperature'],
    [{ detail: [refused] }, 'max_tokens'],
    [{ object: 'error', message: { detail: [refused] }, param: null }, 'max_tokens'],
    [{ detail: [{ loc: ['body', 'messages', 0], msg: 'm' }] }, null],
    [{ error: 'm' }, null],
  ]
  for (const [body, param] of rows) t.equal(errorIn(body)?.param, param, JSON.stringify(body))
})
