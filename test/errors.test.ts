import { deserialize, serialize } from 'node:v8'
import t from 'tap'
import { CropVlmError, type ErrorExtras, type WireError } from '../src/errors.js'

t.test('a coded error is an error with a code', async t => {
  const cause = new Error('why')
  const extras = { param: 'image', details: { status: 429 }, retryAfter: 2, cause }
  const error = new CropVlmError('target_failed', 'The target failed.', extras)
  t.ok(error instanceof Error)
  t.match(error, { name: 'CropVlmError', code: 'target_failed', message: 'The target failed.', ...extras })
  t.match(error.stack, /errors\.test/)
  t.equal(String(error), 'CropVlmError: The target failed.')
  t.notOk('cause' in new CropVlmError('not_found', 'Gone.'), 'nothing to print where there is none')
})

t.test('it crosses to another process as plain data, all but its cause', async t => {
  const all: ErrorExtras[] = [
    {},
    { param: 'image' },
    { retryAfter: 0 },
    { details: { a: [1] } },
    { param: 'x', details: {}, retryAfter: 1.5 },
  ]
  for (const extras of all) {
    const error = new CropVlmError('queue_full', 'Full.', { ...extras, cause: new Error('secret') })
    const wire = deserialize(serialize(error.toWire())) as WireError
    t.strictSame(wire, { code: 'queue_full', message: 'Full.', ...extras })
    const back = CropVlmError.fromWire(wire)
    t.ok(back instanceof CropVlmError)
    t.strictSame(back.toWire(), wire)
    t.notOk('cause' in back)
  }
})

t.test('anything thrown becomes a coded error', async t => {
  const coded = new CropVlmError('not_ready', 'Loading.')
  t.equal(CropVlmError.from(coded), coded)
  for (const thrown of [new TypeError('a secret of the house'), 'a text', null, undefined, { code: 'not_ready' }]) {
    const error = CropVlmError.from(thrown)
    t.equal(error.code, 'internal_error')
    t.equal(error.cause, thrown)
    t.notMatch(JSON.stringify(error.toWire()), /secret|text/, 'what is told outside tells nothing')
  }
})
