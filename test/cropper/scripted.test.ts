/** A second cropper through the whole service: nothing but the cropper itself is another. */

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { engineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { CropVlmError } from '../../src/errors.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'
import { compiledService } from '../support/compiled.js'
import { post } from '../support/fakes/app.js'
import { scriptedCropper } from '../support/fakes/cropper.js'
import { completion, upstream } from '../support/fakes/upstream.js'

t.setTimeout(240_000)

const image = await sharp({ create: { width: 400, height: 200, channels: 3, background: 'white' } })
  .composite([{ input: { create: { width: 200, height: 100, channels: 3, background: 'blue' } }, left: 100, top: 100 }])
  .png()
  .toBuffer()
const { baseUrl } = await upstream(t, completion('blue'))
const config = readConfig({ TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm', LOG_LEVEL: 'silent' })
const module = pathToFileURL(join(compiledService(), 'engine/child/main.js'))
const log = pino({ level: 'silent' })
const engine = startEngine({ ...engineOptions(config, { cropper: null, ocr: false }), module, execArgv: [] }, log)
const cropper = scriptedCropper(engine, ({ question }) => {
  if (question === 'fail') throw new CropVlmError('target_failed', 'The endpoint of the cropper is down.')
  return question === 'none' ? { box: [0, 0, 100, 100], decision: 'fallback', reason: 'no_box' } : {}
})
const app = await buildApp({ config, engine, cropper, targets: makeTargets(config, engine), log })
t.teardown(async () => {
  await app.close()
  await engine.close()
})

t.test('no model is loaded, and the service is ready', async t => {
  t.match(await engine.ready, { models: [], executionProvider: null })
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
  t.match((await app.inject({ url: '/info' })).json(), { models: [], execution_provider: null })
})

t.test('/crop: the box of the script, and its picture cut from the original', async t => {
  const { status, body } = await post(app, '/crop', { image, question: 'What colour?', return: 'crop', format: 'png' })
  t.equal(status, 200)
  t.match(body, {
    bbox: [25, 50, 75, 100],
    bbox_pixels: [100, 100, 300, 200],
    image: { width: 400, height: 200 },
    decision: 'zoomed',
    confidence: 0.5,
    raw: 'What colour?',
    model: { id: 'scripted', resolution: 64, tiles: 1 },
    crop: { media_type: 'image/png', width: 200, height: 100 },
  })
  const { dominant } = await sharp(Buffer.from(body.crop.data, 'base64')).stats()
  t.match(dominant, { r: 8, g: 8, b: 248 }, 'the blue part')
  t.ok(body.timings_ms.decode > 0 && body.timings_ms.vision === 0)
})

t.test('/crop with several questions; one that fails fails the request', async t => {
  const json = { image: image.toString('base64'), questions: ['one', 'none'] }
  const { status, body } = await post(app, '/crop', { json })
  t.equal(status, 200)
  t.match(body.results, [
    { question: 'one', decision: 'zoomed', bbox: [25, 50, 75, 100] },
    { question: 'none', decision: 'fallback', reason: 'no_box', bbox: [0, 0, 100, 100] },
  ])
  const failed = await post(app, '/crop', { json: { ...json, questions: ['one', 'fail'] } })
  t.equal(failed.status, 502)
  t.match(failed.body.error, { code: 'target_failed', message: /cropper is down/ })
})

t.test('/answer: the target sees the image and the region', async t => {
  const { status, body } = await post(app, '/answer', { image, question: 'What colour?' })
  t.equal(status, 200)
  t.match(body, { answer: 'blue', bbox: [25, 50, 75, 100], target: { name: 'default', model: 'vlm' } })
})
