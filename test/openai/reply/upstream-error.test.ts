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
