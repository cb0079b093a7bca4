import t from 'tap'
import { expandBox } from '../../../src/contract/box.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf, located } from '../../support/fakes/scripted-engine.js'

const JSON_IMAGE = IMAGE.toString('base64')
const REPLY = {
  object: 'crop',
  bbox: [12, 5, 80, 47],
  bbox_pixels: [192, 60, 1280, 564],
  image: { width: 1600, height: 1200 },
  decision: 'zoomed',
  reason: null,
  would_skip: null,
  confidence: 0.83,
  raw: '[12, 5, 80, 47].',
  model: { id: 'cropvlm-mini', resolution: 128, tiles: 1 },
  warnings: [],
}
const TIMINGS = { queue: 0.3, decode: 9.1, preprocess: 4.2, vision: 20.5, prefill: 6, generate: 11.2, crop: 0 }

t.test('the whole reply, from a form', async t => {
  const { app, engine } = await makeApp(t)
  const { status, headers, body } = await post(app, '/crop', { image: IMAGE, question: 'What is the total?' })
  t.equal(status, 200)
  const { timings_ms, request_id, ...rest } = body
  t.strictSame(rest, REPLY)
  const { total, ...stages } = timings_ms
  t.strictSame(stages, TIMINGS)
  t.type(total, 'number')
  t.equal(request_id, headers['x-request-id'])
  t.strictSame(engine.jobs, [
    { kind: 'locate', image: IMAGE, questions: ['What is the total?'], resolution: null, keepPixels: false },
  ])
})

t.test(
  'several questions: one job finds all boxes, one makes all pictures, a result for each in their order',
  async t => {
    const { app, engine } = await makeApp(t)
    const questions = ['What is the total?', 'Who signed?', 'When?']
    const json = await post(app, '/crop', { json: { image: JSON_IMAGE, questions, return: 'crop' } })
    const fromForm = await post(app, '/crop', { image: IMAGE, questions: JSON.stringify(questions), return: 'crop' })
    const { object, image, model, warnings, ...region } = REPLY
    for (const { status, body } of [json, fromForm]) {
      t.equal(status, 200)
      t.equal(body.object, 'crop_list')
      t.strictSame(Object.keys(body), ['object', 'results', 'image', 'model', 'timings_ms', 'warnings', 'request_id'])
      t.strictSame(body.image, image)
      t.strictSame(body.model, model)
      t.strictSame(
        body.results.map(({ crop, ...rest }: { crop: unknown }) => rest),
        questions.map(question => ({ question, ...region })),
      )
      t.equal(body.results[2].crop.media_type, 'image/jpeg')
    }
    t.strictSame(
      jobsOf(engine, 'locate').map(job => job.questions),
      [questions, questions],
    )
    t.strictSame(
      jobsOf(engine, 'render').map(job => job.pictures.length),
      [3, 3],
    )
    const one = await post(app, '/crop', { json: { image: JSON_IMAGE, questions: ['Who?'] } })
    t.equal(one.body.results.length, 1, 'a list of one is a list')
  },
)

t.test('every way to send an image in JSON', async t => {
  const { app, engine } = await makeApp(t)
  const images = {
    base64: JSON_IMAGE,
    'data URL': `data:image/png;base64,${JSON_IMAGE}`,
    'image_url with a data URL': { type: 'image_url', image_url: { url: `data:;base64,${JSON_IMAGE}`, detail: 'low' } },
    'image_url with base64': { image_url: { url: JSON_IMAGE } },
  }
  for (const [name, image] of Object.entries(images)) {
    const { status } = await post(app, '/crop', { json: { image, question: 'q' } })
    t.equal(status, 200, name)
    t.strictSame(Buffer.from(jobsOf(engine, 'locate').at(-1)?.image ?? []), IMAGE, name)
  }
})

t.test('options from JSON and from a form are the same', async t => {
  const { app, engine } = await makeApp(t)
  const options = { resolution: 256, expand: 1.5, return: 'crop', format: 'webp', quality: 50 }
  const texts = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]))
  const json = await post(app, '/crop', { json: { image: JSON_IMAGE, question: 'q', ...options } })
  const fromForm = await post(app, '/crop', { image: IMAGE, question: 'q', ...texts })
  const crop = { media_type: 'image/webp', width: 20, height: 10, data: Buffer.from('crop').toString('base64') }
  for (const { status, body } of [json, fromForm]) {
    t.equal(status, 200)
    t.strictSame(body.crop, crop)
    t.notOk('overlay' in body)
    t.equal(body.model.resolution, 256)
  }
  const [one, oneCut, other, otherCut] = engine.jobs.map(job => ({ ...job, image: null }))
  t.strictSame([one, oneCut], [other, otherCut])
  const region = expandBox([12, 5, 80, 47], 1.5)
  t.strictSame(jobsOf(engine, 'render')[0]?.pictures, [
    { show: 'region', region, packing: 'small', format: 'webp', quality: 50, longestEdge: null },
  ])
})

t.test('a box of the request: in JSON, and in every way of a form', async t => {
  const { app, engine } = await makeApp(t)
  const replies = [await post(app, '/crop', { json: { image: JSON_IMAGE, question: 'q', box: [12, 5, 80, 47] } })]
  for (const box of ['12,5,80,47', ' [12, 5, 80, 47] ', ['12', '5', '80', '47']])
    replies.push(await post(app, '/crop', { image: IMAGE, question: 'q', box }))
  for (const { status, body } of replies) {
    t.equal(status, 200)
    t.match(body, { bbox: [12, 5, 80, 47], bbox_pixels: [192, 60, 1280, 564], decision: 'given', reason: null })
    t.match(body, { confidence: null, raw: '', model: { id: 'none', resolution: null, tiles: null } })
  }
  t.equal(jobsOf(engine, 'locate').length, 0)
  const blank = await post(app, '/crop', { image: IMAGE, question: 'q', box: '' })
  t.equal(blank.body.decision, 'zoomed')
})

t.test('a box that is none is refused, and says what one is', async t => {
  const { app, engine } = await makeApp(t)
  const form = [/four whole per cents x1, y1, x2, y2 .* like \[12, 5, 80, 47\]/, /x2 must be over x1/] as const
  for (const [box, message] of [
    [[12, 5, 80], form[0]],
    [[12, 5, 80, 47, 3], form[0]],
    [[12, 5, 80.5, 47], form[0]],
    [[-1, 5, 80, 47], form[0]],
    [[12, 5, 80, 101], form[0]],
    [[80, 5, 12, 47], form[1]],
    [[12, 47, 80, 47], form[1]],
  ] as const) {
    const json = await post(app, '/crop', { json: { image: JSON_IMAGE, question: 'q', box } })
    const fromForm = await post(app, '/crop', { image: IMAGE, question: 'q', box: box.join(',') })
    for (const { status, body } of [json, fromForm]) {
      t.equal(status, 400, box.join())
      t.match(body.error, { code: 'invalid_option', param: 'box', message })
    }
  }
  for (const box of ['the middle', '1;2;3;4', '[1, 2, 3, 4', '{"x1": 1}']) {
    const { status, body } = await post(app, '/crop', { image: IMAGE, question: 'q', box })
    t.equal(status, 400, box)
    t.match(body.error, { code: 'invalid_option', param: 'box', message: form[0] })
  }
  const never = await post(app, '/crop', { image: IMAGE, question: 'q', box: '1,2,3,4', zoom: 'never' })
  t.match(never.body.error, { code: 'invalid_option', param: 'box', message: /zoom=never/ })
  t.same(engine.jobs, [])
})

t.test('the overlay, and null for an option in JSON', async t => {
  const { app } = await makeApp(t)
  const json = { image: JSON_IMAGE, question: 'q', return: 'overlay', resolution: null, quality: null }
  const { status, body } = await post(app, '/crop', { json })
  t.equal(status, 200)
  t.strictSame(body.overlay.media_type, 'image/jpeg')
  t.notOk('crop' in body)
})

t.test('a fallback says why', async t => {
  const { app } = await makeApp(t, {
    locate: job => located(job, { box: [0, 0, 100, 100], decision: 'fallback', reason: 'no_box', raw: 'hm' }),
  })
  const { status, body } = await post(app, '/crop', { image: IMAGE, question: 'q' })
  t.equal(status, 200)
  t.match(body, { bbox: [0, 0, 100, 100], decision: 'fallback', reason: 'no_box', raw: 'hm' })
})

t.test(
  'a resolution the model does not have is known without the engine; before it has loaded the engine tells',
  async t => {
    const { app, engine } = await makeApp(t)
    const { status, body } = await post(app, '/crop', { image: IMAGE, question: 'q', resolution: '512' })
    t.equal(status, 400)
    t.match(body.error, { code: 'unsupported_resolution', param: 'resolution', message: /128, 256/ })
    t.equal(engine.jobs.length, 0)
    const loading = await makeApp(t, { info: null })
    t.equal((await post(loading.app, '/crop', { image: IMAGE, question: 'q', resolution: '512' })).status, 200)
  },
)
