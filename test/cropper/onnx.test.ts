import { resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import type { FindRequest } from '../../src/cropper/cropper.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { CropVlmError } from '../../src/errors.js'
import { located, scriptedEngine } from '../support/fakes/scripted-engine.js'

const config = readConfig({ CROPPER_MODEL: '/models/a', MODEL_PRECISION: 'int8' })
const { signal } = new AbortController()
const deadline = Date.now() + 60_000
const [one, other] = [new Uint8Array([1]), new Uint8Array([2])]
const request = (image: Uint8Array, question: string, changes: Partial<FindRequest> = {}): FindRequest => ({
  image,
  question,
  resolution: null,
  keepPixels: false,
  signal,
  deadline,
  ...changes,
})

t.test('the configured folder, and what the loaded model can', async t => {
  t.same(configuredCropper(config).needs, { cropper: { dir: resolve('/models/a'), precision: 'int8' }, ocr: false })
  const why = 'CROPPER_MODEL is a model folder'
  t.same(configuredCropper(config).make(scriptedEngine()).info, {
    name: 'onnx',
    resolutions: [128, 256],
    warnings: [],
    why,
  })
  t.same(configuredCropper(config).make(scriptedEngine({ info: null })).info, {
    name: 'onnx',
    resolutions: null,
    warnings: [],
    why,
  })
})

t.test('questions about one image are one job; outcomes come in the order of the requests', async t => {
  const engine = scriptedEngine()
  const outcomes = await configuredCropper(config)
    .make(engine)
    .find([
      request(one, 'a'),
      request(other, 'b'),
      request(one, 'c', { keepPixels: true }),
      request(one, 'd', { resolution: 256 }),
    ])
  t.match(engine.jobs, [
    { kind: 'locate', image: one, questions: ['a', 'c'], resolution: null },
    { kind: 'locate', image: other, questions: ['b'], resolution: null },
    { kind: 'locate', image: one, questions: ['d'], resolution: 256 },
  ])
  const found = outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : null))
  t.same(
    found.map(value => [value?.cost?.batch, value?.model.resolution]),
    [
      [2, 128],
      [1, 128],
      [2, 128],
      [1, 256],
    ],
  )
  t.equal(found[0]?.timings, found[2]?.timings, 'the time of one job counts once')
  t.not(found[0]?.timings, found[1]?.timings)
})

t.test('a job that fails is an outcome of each of its requests, and of no other', async t => {
  const engine = scriptedEngine({
    locate(job) {
      if (job.image === one) throw new CropVlmError('image_undecodable', 'It is broken.')
      return located(job)
    },
  })
  const outcomes = await configuredCropper(config)
    .make(engine)
    .find([request(one, 'a'), request(other, 'b'), request(one, 'c')])
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'image_undecodable' } },
    { status: 'fulfilled', value: { raw: '[12, 5, 80, 47].' } },
    { status: 'rejected', reason: { code: 'image_undecodable' } },
  ])
})
