import t from 'tap'
import { CropVlmError } from '../../../src/errors.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'

const ASK = { image: IMAGE, question: 'WHO made it?' }

t.test('the whole reply, by the local target', async t => {
  const { app, engine } = await makeApp(t)
  const { status, body } = await post(app, '/answer', ASK)
  t.equal(status, 200)
  t.match(body, {
    bbox: [12, 5, 80, 47],
    object: 'answer',
    decision: 'zoomed',
    answer: 'Dakota Digital.',
    finish_reason: 'stop',
    refusal: null,
    reasoning: null,
    target: { name: 'local', model: 'smolvlm-mini', usage: { prompt_tokens: 512, completion_tokens: 3 } },
  })
  t.strictSame(Object.keys(body).sort(), [
    'answer',
    'bbox',
    'bbox_pixels',
    'confidence',
    'decision',
    'finish_reason',
    'image',
    'model',
    'object',
    'raw',
    'reason',
    'reasoning',
    'refusal',
    'request_id',
    'target',
    'timings_ms',
    'warnings',
    'would_skip',
  ])
  t.type(body.timings_ms.target, 'number')
  t.type(body.timings_ms.total, 'number')
  t.strictSame(
    engine.jobs.map(({ kind }) => kind),
    ['locate', 'render', 'generate'],
  )
  const [render] = jobsOf(engine, 'render')
  const lossless = { format: 'png', quality: 100, longestEdge: null, packing: 'fast', region: [12, 5, 80, 47] }
  t.strictSame(render?.pictures, [
    { show: 'whole', ...lossless },
    { show: 'region', ...lossless },
  ])
  const [generate] = jobsOf(engine, 'generate')
  t.strictSame(
    { ...generate, images: generate?.images.map(image => Buffer.from(image).toString()) },
    {
      kind: 'generate',
      model: 'local',
      images: ['full', 'region'],
      text: 'Who made it?\nGive a very brief answer.',
      resolution: null,
      maxTokens: 64,
      temperature: 0,
    },
  )
})

t.test('mode says what the target sees; the box is there all the same', async t => {
  const seen = { zoom: ['full', 'region'], full: ['full'], crop: ['region'] }
  for (const [mode, images] of Object.entries(seen)) {
    const { app, engine } = await makeApp(t)
    const { status, body } = await post(app, '/answer', { ...ASK, mode, max_tokens: '7', temperature: '0.5' })
    t.equal(status, 200)
    t.strictSame(body.bbox, [12, 5, 80, 47])
    const [job] = jobsOf(engine, 'generate')
    t.strictSame(
      job?.images.map(image => Buffer.from(image).toString()),
      images,
    )
    t.match(job, { maxTokens: 7, temperature: 0.5 })
    const shown = jobsOf(engine, 'render')[0]?.pictures.map(({ show }) => show)
    t.strictSame(shown, { zoom: ['whole', 'region'], full: ['whole'], crop: ['region'] }[mode])
  }
})

t.test('compare answers without the crop too, at the same time', async t => {
  let waiting = 0
  let both: () => void = () => {}
  const together = new Promise<void>(resolve => {
    both = resolve
  })
  const { app, engine } = await makeApp(t, {
    async generate(job) {
      if (++waiting === 2) both()
      await together
      const text = job.images.length === 2 ? 'Yes.' : ' yes'
      return {
        kind: 'generate',
        text,
        finishReason: 'length',
        usage: { promptTokens: 1, completionTokens: 1 },
        timings: {} as never,
      }
    },
  })
  const { body } = await post(app, '/answer', { ...ASK, compare: 'true' })
  t.match(body.compare, { answer: 'yes', agrees: true, usage: { prompt_tokens: Number, completion_tokens: Number } })
  t.match(body, { finish_reason: 'length', compare: { finish_reason: 'length', refusal: null, reasoning: null } })
  t.equal(body.answer, 'Yes.')
  t.equal(jobsOf(engine, 'generate').length, 2)
})

t.test('compare in the other modes', async t => {
  const crop = await makeApp(t)
  const byCrop = await post(crop.app, '/answer', { ...ASK, mode: 'crop', compare: 'true' })
  t.match(byCrop.body.compare, {
    answer: 'unanswerable',
    agrees: true,
    usage: { prompt_tokens: Number, completion_tokens: Number },
  })
  t.equal(jobsOf(crop.engine, 'render')[0]?.pictures[0]?.show, 'whole', 'the full image is needed after all')
  const full = await makeApp(t)
  const byFull = await post(full.app, '/answer', { ...ASK, mode: 'full', compare: 'true' })
  t.match(byFull.body.compare, {
    answer: 'unanswerable',
    agrees: true,
    usage: { prompt_tokens: Number, completion_tokens: Number },
  })
  t.equal(jobsOf(full.engine, 'generate').length, 1, 'one answer serves both')
  const zoom = await makeApp(t)
  const byZoom = await post(zoom.app, '/answer', { ...ASK, compare: 'true' })
  t.match(byZoom.body.compare, {
    answer: 'unanswerable',
    agrees: false,
    usage: { prompt_tokens: Number, completion_tokens: Number },
  })
})

t.test('options that are refused, before the engine is asked', async t => {
  const { app, engine } = await makeApp(t)
  const rows = [
    [{ target: 'nobody' }, 'unknown_target', 'target', /local/],
    [{ mode: 'all' }, 'invalid_option', 'mode', /zoom, full, crop/],
    [{ compare: 'yes' }, 'invalid_option', 'compare', /true or false/],
    [{ max_tokens: '0' }, 'invalid_option', 'max_tokens', /from 1 to 4096/],
    [{ temperature: '2.1' }, 'invalid_option', 'temperature', /from 0 to 2/],
    [{ top_p: '1' }, 'unknown_option', 'top_p', /temperature/],
  ] as const
  for (const [options, code, param, message] of rows) {
    const { status, body } = await post(app, '/answer', { ...ASK, ...options })
    t.equal(status, 400, code)
    t.match(body.error, { code, param, message })
  }
  t.equal(engine.jobs.length, 0)
})

t.test('an engine that fails after the box keeps its own status, and the box is in the details', async t => {
  const rows = [
    [new CropVlmError('queue_full', 'The queue is full.', { retryAfter: 2.2 }), 429, 'gateway', '3'],
    [new CropVlmError('engine_unavailable', 'The engine is being restarted.'), 503, 'gateway', '1'],
    [new CropVlmError('deadline_exceeded', 'The deadline passed.'), 504, 'target', undefined],
    [new Error('a bug'), 500, 'gateway', undefined],
  ] as const
  for (const [error, expected, source, retryAfter] of rows) {
    const { app } = await makeApp(t, {
      generate() {
        throw error
      },
    })
    const { status, headers, body } = await post(app, '/answer', { ...ASK, return: 'crop' })
    t.equal(status, expected)
    t.equal(body.error.source, source)
    t.equal(headers['retry-after'], retryAfter)
    t.match(body.error.details.crop, {
      object: 'crop',
      bbox: [12, 5, 80, 47],
      bbox_pixels: [192, 60, 1280, 564],
      decision: 'zoomed',
    })
    t.match(body.error.details.crop.crop, { media_type: 'image/jpeg' })
    t.notMatch(JSON.stringify(body), /a bug/, 'what happened inside stays inside')
  }
})

t.test('an engine that fails before the box', async t => {
  const { app } = await makeApp(t, {
    locate() {
      throw new CropVlmError('image_undecodable', 'The JPEG cannot be decoded.')
    },
  })
  const { status, body } = await post(app, '/answer', ASK)
  t.equal(status, 422)
  t.match(body.error, { code: 'image_undecodable', param: 'image' })
  t.notOk('details' in body.error)
})

t.test('zoom: never asks no cropper, auto leaves out a crop that would not help, always takes it', async t => {
  const images = async (fields: Record<string, string>, env: Record<string, string> = {}) => {
    const { app, engine } = await makeApp(t, {}, env)
    const { status, body } = await post(app, '/answer', { ...ASK, ...fields })
    t.equal(status, 200)
    const [job] = jobsOf(engine, 'generate')
    const seen = job?.images.map(image => Buffer.from(image).toString())
    return { body, seen, located: jobsOf(engine, 'locate').length }
  }
  const never = await images({ zoom: 'never', compare: 'true' })
  t.match(never, { seen: ['full'], located: 0 })
  t.match(never.body, { decision: 'skipped', reason: 'never', bbox: [0, 0, 100, 100], confidence: null, warnings: [] })
  t.match(never.body.compare, {
    answer: 'unanswerable',
    agrees: true,
    usage: { prompt_tokens: Number, completion_tokens: Number },
  })
  const unsure = await images({ zoom: 'auto' }, { ZOOM_MIN_CONFIDENCE: '0.9' })
  t.match(unsure, { seen: ['full'], body: { decision: 'skipped', reason: 'low_confidence', bbox: [12, 5, 80, 47] } })
  const large = await images({ zoom: 'auto' }, { ZOOM_MAX_AREA: '0.2' })
  t.match(large, { seen: ['full'], body: { decision: 'skipped', reason: 'whole_image' } })
  const sure = await images({ zoom: 'auto' }, { ZOOM_MIN_CONFIDENCE: '0.8' })
  t.match(sure, { seen: ['full', 'region'], body: { decision: 'zoomed', reason: null } })
  const crop = await images({ zoom: 'auto', mode: 'crop' }, { ZOOM_MIN_CONFIDENCE: '0.9' })
  t.match(crop, { seen: ['region'], body: { decision: 'zoomed' } }, 'the crop alone was asked for')
})

t.test('a box of the request: the target gets its crop, the cropper is not asked', async t => {
  const { app, engine } = await makeApp(t)
  const { status, body } = await post(app, '/answer', { ...ASK, box: '10,20,30,40', compare: 'true' })
  t.equal(status, 200)
  t.match(body, { bbox: [10, 20, 30, 40], decision: 'given', confidence: null, answer: 'Dakota Digital.' })
  t.match(body.compare, { answer: 'unanswerable', agrees: false })
  t.equal(jobsOf(engine, 'locate').length, 0)
  t.match(jobsOf(engine, 'render').at(-1)?.pictures, [{ show: 'whole' }, { show: 'region', region: [10, 20, 30, 40] }])
})

t.test('what is to be known about the models is in each reply, and in /info', async t => {
  const models = (['cropper', 'target'] as const).map(role => ({
    id: role === 'target' ? 'smolvlm-mini' : 'cropvlm-mini',
    role,
    revision: null,
    resolutions: [128],
    defaultResolution: 128,
    precision: 'fp32',
    precisionReason: 'asked for',
    sha256: {},
    training: null,
    warning: `The ${role} knows synthetic pages only.`,
  }))
  const info = { models, executionProvider: 'cpu' as const, executionProviderReason: 'asked for', pid: 1 }
  const { app } = await makeApp(t, { info })
  const [cropper, target] = models.map(({ warning }) => warning)
  t.strictSame((await post(app, '/answer', ASK)).body.warnings, [cropper, target])
  t.strictSame((await post(app, '/crop', ASK)).body.warnings, [cropper])
  const told = (await app.inject({ url: '/info' })).json()
  t.match(told, {
    cropper: { name: 'onnx', resolutions: [128], warnings: [cropper] },
    models: [{ warning: cropper }, {}],
  })
})
