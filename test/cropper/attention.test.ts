import { resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { attentionCropper, attentionModel } from '../../src/cropper/attention.js'
import { located, scriptedEngine } from '../support/fakes/scripted-engine.js'

t.test('the folder is asked for with its attention', async t => {
  const config = readConfig({ CROPPER_MODEL: '/models/a', MODEL_PRECISION: 'int8' })
  t.same(attentionModel(config), { dir: resolve('/models/a'), precision: 'int8', attention: true })
})

t.test('questions about one image are one job, by attention', async t => {
  const engine = scriptedEngine({
    locate(job) {
      const result = located(job)
      return { ...result, boxes: result.boxes.map(box => ({ ...box, confidence: null, raw: '' })) }
    },
  })
  const cropper = attentionCropper(engine)
  t.match(cropper.info, { name: 'attention', resolutions: [128, 256] })
  const { signal } = new AbortController()
  const common = {
    image: new Uint8Array([1]),
    resolution: null,
    keepPixels: true,
    signal,
    deadline: Date.now() + 60_000,
  }
  const outcomes = await cropper.find([
    { ...common, question: 'a' },
    { ...common, question: 'b' },
  ])
  t.strictSame(engine.jobs, [
    {
      kind: 'locate',
      image: common.image,
      questions: ['a', 'b'],
      resolution: null,
      keepPixels: true,
      by: 'attention',
    },
  ])
  t.match(outcomes, [{ status: 'fulfilled', value: { confidence: null, raw: '' } }, { status: 'fulfilled' }])
})
