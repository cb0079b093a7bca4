import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { CropVlmError } from '../../src/errors.js'
import type { Target } from '../../src/target/target.js'
import { makeTargets } from '../../src/target/targets.js'
import { jobsOf, read, type Script, scriptedEngine } from '../support/fakes/scripted-engine.js'

const picture = (byte: number) => ({ mediaType: 'image/png', width: 1600, height: 1200, bytes: new Uint8Array([byte]) })
const ask = (changes = {}) => ({
  full: picture(1),
  crop: picture(2),
  question: 'What is the width?',
  maxTokens: 10,
  temperature: 0,
  signal: new AbortController().signal,
  deadline: Date.now() + 1000,
  ...changes,
})

const LINE = { reasoning: null, refusal: null, finishReason: 'stop', usage: null }

function make(script: Script = {}) {
  const engine = scriptedEngine(script)
  const targets = makeTargets(readConfig({ TARGET_MODEL: 'local:text' }), engine)
  return { engine, target: targets.get('local') as Target }
}

t.test('it is a reader, no VLM, and answers with the line of the crop', async t => {
  const { engine, target } = make()
  t.match(target, { model: 'pp-ocr-v4', kind: 'reader', local: true, fullLongestEdge: null, cropLongestEdge: null })
  t.same(await target.answer(ask()), { ...LINE, text: '120 mm' })
  t.same(
    jobsOf(engine, 'read').map(({ image, madeBy }) => [image[0], madeBy]),
    [[2, 'service']],
  )
})

t.test('the full image where the crop has no line that fits, or there is none', async t => {
  const { engine, target } = make({ read: job => (job.image[0] === 2 ? { ...read(), lines: [] } : read()) })
  t.same(await target.answer(ask()), { ...LINE, text: '120 mm' })
  t.same(await target.answer(ask({ crop: null })), { ...LINE, text: '120 mm' })
  t.same(
    jobsOf(engine, 'read').map(({ image }) => image[0]),
    [2, 1, 1],
  )
  t.same(await target.answer(ask({ full: null })), { ...LINE, text: 'unanswerable' })
})

t.test('errors', async t => {
  const failing = (code: 'deadline_exceeded' | 'queue_full') =>
    make({
      read() {
        throw new CropVlmError(code, 'no')
      },
    }).target.answer(ask())
  await t.rejects(failing('deadline_exceeded'), { code: 'target_timeout' })
  await t.rejects(failing('queue_full'), { code: 'queue_full' })
  t.throws(
    () => readConfig({ TARGETS: '[{"name": "text", "model": "local:text", "precision": "int8"}]' }),
    /precision is not an option of the text reader; those are name, model, timeout_ms/,
  )
})
