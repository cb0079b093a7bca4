import t from 'tap'
import { CropVlmError } from '../../../src/errors.js'
import { breathe, throwIfAborted } from '../../../src/vlm/decoding/abort.js'

t.test('a signal that was not aborted lets pass', async t => {
  const { signal } = new AbortController()
  t.equal(throwIfAborted(signal), undefined)
  await breathe(signal)
})

t.test('a coded reason is kept, any other becomes request_aborted', async t => {
  const late = new CropVlmError('deadline_exceeded', 'late')
  t.throws(() => throwIfAborted(AbortSignal.abort(late)), late)
  t.throws(() => throwIfAborted(AbortSignal.abort('why')), { code: 'request_aborted' })
})

t.test('breathing lets a message in before it asks', async t => {
  const controller = new AbortController()
  setImmediate(() => controller.abort())
  await t.rejects(breathe(controller.signal), { code: 'request_aborted' })
})
