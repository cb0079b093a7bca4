/** Replies against the document that describes them: nothing missing, nothing that it does not name. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import t, { type Test } from 'tap'
import { CropVlmError } from '../../../src/errors.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { located } from '../../support/fakes/scripted-engine.js'

/** The schemas with every object closed that does not say that it is open. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const inner = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]))
  return 'properties' in inner && inner.type === 'object' ? { additionalProperties: false, ...inner } : inner
}

const { app } = await makeApp(t)
const document = (await app.inject({ url: '/openapi.json' })).json()
const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { byte: true } })
ajv.addSchema({ $id: 'document', ...(closed(document) as object) })

function fits(t: Test, name: string, reply: unknown): void {
  const check = ajv.getSchema(`document#/components/schemas/${name}`)
  if (!check) throw new Error(`there is no schema ${name}`)
  check(reply)
  t.strictSame(check.errors, null, name)
}

t.test('/crop', async t => {
  for (const want of ['box', 'crop', 'overlay']) {
    const { body } = await post(app, '/crop', { image: IMAGE, question: 'q', return: want })
    fits(t, 'CropReply', body)
    const list = await post(app, '/crop', { image: IMAGE, questions: ['a', 'b'], return: want })
    fits(t, 'CropListReply', list.body)
    fits(t, 'Region', list.body.results[0])
  }
  const fallback = await makeApp(t, { locate: job => located(job, { decision: 'fallback', reason: 'no_box' }) })
  fits(t, 'CropReply', (await post(fallback.app, '/crop', { image: IMAGE, question: 'q' })).body)
})

t.test('/crop by the text reader: its stages have their own names', async t => {
  const text = await makeApp(t, {}, { CROPPER: 'text' })
  const { body } = await post(text.app, '/crop', { image: IMAGE, question: 'What is the width?' })
  fits(t, 'CropReply', body)
  t.match(body.timings_ms, { decode: 9, preprocess: 4, detect: 20, recognize: 11, vision: 0, generate: 0 })
  const metrics = (await text.app.inject({ url: '/metrics' })).body
  t.match(metrics, 'cropvlm_stage_duration_seconds_sum{stage="recognize"} 0.011')
})

t.test('/answer', async t => {
  for (const fields of [{}, { compare: 'true', return: 'crop' }, { mode: 'full' }]) {
    const { status, body } = await post(app, '/answer', { image: IMAGE, question: 'q', ...fields })
    t.equal(status, 200)
    fits(t, 'AnswerReply', body)
  }
})

t.test('/info', async t => {
  fits(t, 'InfoReply', (await app.inject({ url: '/info' })).json())
  const loading = await makeApp(t, { info: null })
  fits(t, 'InfoReply', (await loading.app.inject({ url: '/info' })).json())
})

t.test('errors', async t => {
  fits(t, 'ErrorReply', (await app.inject({ url: '/nowhere' })).json())
  fits(t, 'ErrorReply', (await post(app, '/crop', { image: IMAGE })).body)
  const late = await makeApp(t, {
    generate() {
      throw new CropVlmError('target_failed', 'It failed.', { details: { status: 500 } })
    },
  })
  const { body } = await post(late.app, '/answer', { image: IMAGE, question: 'q' })
  fits(t, 'ErrorReply', body)
  fits(t, 'CropReply', body.error.details.crop)
})
