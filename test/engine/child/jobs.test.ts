import { resolve } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { type Box, FULL_BOX, toPixels } from '../../../src/contract/box.js'
import { ImageFiles } from '../../../src/engine/child/image-file.js'
import { runJobs } from '../../../src/engine/child/jobs.js'
import { loadModels, warmUp } from '../../../src/engine/child/models.js'
import type { Outcome, Task } from '../../../src/engine/child/task.js'
import type { WorkerOptions } from '../../../src/engine/options.js'
import type {
  GenerateJob,
  GenerateResult,
  Job,
  LocatedBox,
  LocateJob,
  LocateResult,
  PictureRequest,
  RenderJob,
  RenderResult,
} from '../../../src/engine/protocol.js'
import { modelThatFearsLetter } from '../../support/model-folders/changed.js'
import { noise } from '../../support/scripted.js'

const tiny = resolve(import.meta.dirname, '../../fixtures/models/tiny')
const options: WorkerOptions = {
  cropper: { dir: tiny, precision: null },
  targets: [
    { name: 'a', dir: tiny, precision: null },
    { name: 'b', dir: tiny, precision: null },
  ],
  ocr: false,
  executionProvider: 'cpu',
  threads: 1,
  graphCacheDir: null,
  prefixCacheBytes: 0,
  verifyHashes: true,
  constrained: true,
  limits: { maxPixels: 1e6, maxAspect: 20 },
}
const { signal } = new AbortController()
const models = await loadModels(options)
const photo = await noise(400, 300)
const files = new ImageFiles()
const PNG = { format: 'png', quality: 90, longestEdge: null, packing: 'small' } as const

/** The outcomes of jobs given to the engine together, in their order; each is told once. */
async function run(tasks: Task[], changed: Partial<WorkerOptions> = {}, using = models): Promise<Outcome[]> {
  const outcomes = new Map<Task, Outcome>()
  const { limits, constrained } = { ...options, ...changed }
  await runJobs(tasks, { models: using, files, limits, constrained }, (task, outcome) => {
    if (outcomes.has(task)) throw new Error('settled twice')
    outcomes.set(task, outcome)
  })
  return tasks.map(task => outcomes.get(task) as Outcome)
}

async function runOne(job: Job, changed: Partial<WorkerOptions> = {}, using = models) {
  const [outcome] = await run([{ job, signal }], changed, using)
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

const locateJob = (changes: Partial<LocateJob> = {}): LocateJob => ({
  kind: 'locate',
  image: photo,
  questions: ['Where is it?'],
  resolution: null,
  keepPixels: false,
  ...changes,
})

type OneBox = Omit<LocateResult, 'boxes'> & LocatedBox

async function locate(job: Partial<LocateJob> = {}, changed: Partial<WorkerOptions> = {}): Promise<OneBox> {
  const { boxes, ...result } = (await runOne(locateJob(job), changed)) as LocateResult
  return { ...result, ...(boxes[0] as LocatedBox) }
}

async function render(pictures: readonly PictureRequest[], changes: Partial<RenderJob> = {}): Promise<RenderResult> {
  return (await runOne({ kind: 'render', image: photo, pictures, ...changes })) as RenderResult
}

const generateJob = (changes: Partial<GenerateJob> = {}): GenerateJob => ({
  kind: 'generate',
  model: 'b',
  images: [photo],
  text: 'What?',
  resolution: null,
  maxTokens: 3,
  temperature: 0,
  ...changes,
})

async function generate(job: Partial<GenerateJob> = {}): Promise<GenerateResult> {
  return (await runOne(generateJob(job))) as GenerateResult
}

t.test('targets of the same folder share a model, and each answers', async t => {
  t.equal(models.targets.get('a'), models.targets.get('b'))
  await warmUp(models, options)
})

t.test('a box, and where the time went', async t => {
  const result = await locate()
  t.match(result, { kind: 'locate', decision: 'fallback', reason: 'not_a_cropper', image: { width: 400, height: 300 } })
  t.match(result.model, { id: 'tiny', resolution: 64, tiles: 1 })
  t.ok(result.confidence !== null && result.confidence > 0 && result.confidence <= 1)
  t.same(Object.keys(result.timings).sort(), ['crop', 'decode', 'generate', 'prefill', 'preprocess', 'queue', 'vision'])
  t.equal((await locate({ resolution: 128 })).model.resolution, 128)
})

t.test('the pictures asked for, each in its own way', async t => {
  const region: Box = [10, 20, 35, 60]
  const { pictures, image, timings } = await render([
    { ...PNG, show: 'region', region },
    { ...PNG, show: 'overlay', region, format: 'webp' },
    { ...PNG, show: 'whole', region, longestEdge: 100, packing: 'fast' },
    { show: 'region', region, format: 'jpeg', quality: 90, longestEdge: 16, packing: 'fast' },
  ])
  t.same(image, { width: 400, height: 300 })
  t.same(Object.keys(timings).sort(), ['crop', 'decode', 'queue'])
  const [x1, y1, x2, y2] = toPixels(region, image)
  t.match(pictures, [
    { mediaType: 'image/png', width: x2 - x1, height: y2 - y1 },
    { mediaType: 'image/webp', width: 400, height: 300 },
    { mediaType: 'image/png', width: 100, height: 75 },
    { mediaType: 'image/jpeg', width: 13, height: 16 },
  ])
  const original = await sharp(photo)
    .extract({ left: x1, top: y1, width: x2 - x1, height: y2 - y1 })
    .raw()
    .toBuffer()
  t.ok((await sharp(pictures[0]?.bytes).raw().toBuffer()).equals(original), 'the very pixels of the original')
  t.same((await render([])).pictures, [])
})

t.test('pixels that the first job decodes are kept for the pictures, and only for them', async t => {
  const image = await noise(410, 300)
  const opened = async () => await files.read(image, options.limits).open()
  const plain = await locate({ image })
  t.not(await opened(), await opened(), 'nothing is kept without being asked for')
  const kept = await locate({ image, keepPixels: true })
  t.same([kept.box, kept.raw], [plain.box, plain.raw])
  t.equal(await opened(), await opened())
  const region: Box = [0, 0, 50, 50]
  const [first] = (await render([{ ...PNG, show: 'region', region }], { image })).pictures
  t.not(await opened(), await opened(), 'the job that they were kept for is done')
  const [again] = (await render([{ ...PNG, show: 'region', region }], { image })).pictures
  t.ok(Buffer.from(first?.bytes ?? []).equals(again?.bytes ?? new Uint8Array()))

  const whole = { ...PNG, show: 'whole', region: FULL_BOX } as const
  await render([whole], { image, keepPixels: true })
  t.equal(await opened(), await opened(), 'a job that makes pictures may keep them too')
  await render([whole], { image })
  t.not(await opened(), await opened())
})

t.test('without the grammar a model that knows nothing falls back to the whole image', async t => {
  const result = await locate({}, { constrained: false })
  t.match(result, { decision: 'fallback', reason: 'no_box', box: FULL_BOX })
})

t.test('an answer from pictures', async t => {
  const result = await generate({ images: [photo, photo] })
  t.equal(result.kind, 'generate')
  t.equal(result.usage.completionTokens, 3)
  t.ok(result.usage.promptTokens > 32)
  const narrow = await sharp(photo).extract({ left: 0, top: 0, width: 2, height: 300 }).png().toBuffer()
  t.equal((await generate({ images: [photo, narrow] })).usage.completionTokens, 3, 'a crop beyond the aspect limit')
  await t.rejects(generate({ model: 'none' }), { code: 'unknown_target' })
})

t.test('what is wrong with an image, and what was given up', async t => {
  const wide = await sharp(photo).extract({ left: 0, top: 0, width: 400, height: 10 }).png().toBuffer()
  await t.rejects(locate({ image: new TextEncoder().encode('<svg/>') }), { code: 'unsupported_image_format' })
  await t.rejects(locate({ image: wide }), { code: 'image_aspect_too_extreme' })
  await t.rejects(locate({}, { limits: { maxPixels: 100, maxAspect: 20 } }), { code: 'image_too_large' })
  await t.rejects(render([], { image: wide }), { code: 'image_aspect_too_extreme' })
  await t.rejects(locate({ resolution: 100 }), { code: 'unsupported_resolution' })
  const [given] = await run([{ job: locateJob(), signal: AbortSignal.abort() }])
  t.match(given, { status: 'rejected', reason: { code: 'request_aborted' } })
})

/** What a box says, less what tells how it was computed. */
const said = ({ box, raw, decision, cost: { generatedTokens } }: LocatedBox) => ({
  box,
  raw,
  decision,
  generatedTokens,
})
const boxesOf = (outcome: Outcome | undefined) =>
  outcome?.status === 'fulfilled' && outcome.value.kind === 'locate' ? outcome.value.boxes : []

t.test('the same answers together as alone, whatever else is in the batch', async t => {
  const jobs: LocateJob[] = []
  for (let i = 0; i < 11; i++) {
    const image = await noise(120 + 40 * (i % 4), 90 + 17 * i)
    const questions = ['Who?', 'What is the total amount due?', `Where is item ${i}?`].slice(0, 1 + (i % 3))
    jobs.push(locateJob({ image, questions, resolution: [64, 128, 256][i % 3] as number }))
  }
  const alone: Outcome[] = []
  for (const job of jobs) {
    const boxes: LocatedBox[] = []
    for (const question of job.questions)
      boxes.push(...boxesOf((await run([{ job: { ...job, questions: [question] }, signal }]))[0]))
    alone.push({ status: 'fulfilled', value: { kind: 'locate', boxes } as unknown as LocateResult })
  }
  const together = await run(jobs.map(job => ({ job, signal })))
  const reversed = (await run(jobs.map(job => ({ job, signal })).reverse())).reverse()
  const sizes = new Set<number>()
  for (const [i, outcome] of together.entries()) {
    t.equal(boxesOf(outcome).length, jobs[i]?.questions.length)
    t.same(boxesOf(outcome).map(said), boxesOf(alone[i]).map(said), `job ${i}`)
    t.same(boxesOf(reversed[i]).map(said), boxesOf(alone[i]).map(said), `job ${i}, the other way round`)
    for (const { cost } of boxesOf(outcome)) sizes.add(cost.batch)
  }
  t.ok(sizes.has(8), 'they did go together')
})

t.test('a job that fails or is given up leaves the others of its batch alone', async t => {
  const good = locateJob()
  const [expected] = boxesOf((await run([{ job: good, signal }]))[0])
  const gone = new AbortController()
  const outcomes = await run([
    { job: good, signal },
    { job: locateJob({ image: new TextEncoder().encode('no image') }), signal },
    { job: locateJob({ questions: ['Who?', '\u0663'.repeat(2000)] }), signal },
    { job: locateJob(), signal: AbortSignal.abort() },
    { job: locateJob({ questions: ['Who?', 'What?', 'Why?'] }), signal: gone.signal },
    { job: generateJob({ model: 'none' }), signal },
    { job: generateJob(), signal },
    { job: locateJob({ resolution: 128 }), signal },
  ])
  t.match(outcomes, [
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'unsupported_image_format' } },
    { status: 'rejected', reason: { code: 'question_too_long' } },
    { status: 'rejected', reason: { code: 'request_aborted' } },
    { status: 'fulfilled' },
    { status: 'rejected', reason: { code: 'unknown_target' } },
    { status: 'fulfilled', value: { kind: 'generate' } },
    { status: 'fulfilled' },
  ])
  t.same(boxesOf(outcomes[0]).map(said), [said(expected as LocatedBox)])
})

for (const folder of ['tiny', 'tiny-hub'])
  t.test(`${folder}: another question about the same image costs no vision, and has the same answer`, async t => {
    const cropper = { dir: resolve(import.meta.dirname, '../../fixtures/models', folder), precision: null }
    const plain = await loadModels({ ...options, cropper, targets: [] })
    const caching = await loadModels({ ...options, cropper, targets: [], prefixCacheBytes: 64 * 1024 * 1024 })
    let sameAnswers = 0
    const questions = ['Who?', 'What is the total?', 'Where is the red square, and what is under it?', '7', 'When?']
    for (let i = 0; i < 24; i++) {
      const resolution = [64, 128, 256][i % 3] as number
      const image = await noise(100 + 30 * i, 400 - 10 * i)
      for (const [nth, question] of questions.entries()) {
        const job = locateJob({ image, questions: [question], resolution })
        const fresh = (await runOne(job, {}, plain)) as LocateResult
        const cached = (await runOne(job, {}, caching)) as LocateResult
        t.equal(cached.boxes[0]?.cost.reused, nth > 0)
        if (nth > 0) t.match(cached.timings, { decode: 0, vision: 0 })
        t.same(cached.image, fresh.image)
        t.same(cached.model, fresh.model)
        t.same(cached.boxes.map(said), fresh.boxes.map(said), `${question} of image ${i}`)
        sameAnswers++
      }
    }
    t.equal(sameAnswers, 120)
    const image = await noise(500, 300)
    const first = (await runOne(locateJob({ image }), {}, caching)) as LocateResult
    const again = (await runOne(locateJob({ image, keepPixels: true }), {}, caching)) as LocateResult
    t.same(again.boxes[0]?.box, first.boxes[0]?.box)
    const { pictures } = await render([{ ...PNG, show: 'region', region: FULL_BOX }], { image })
    t.match(pictures, [{ width: 500, height: 300 }], 'pictures are still cut from the pixels')
  })

t.test('questions in one job share the image, with and without a cache between jobs', async t => {
  const questions = Array.from({ length: 10 }, (_, i) => `What is in field ${i}?`)
  const { boxes, timings } = (await runOne(locateJob({ questions, resolution: 256 }))) as LocateResult
  t.same(
    boxes.map(({ cost }) => cost.reused),
    questions.map((_, i) => i > 0),
  )
  t.ok(timings.vision > 0)
  for (const [i, question] of questions.entries()) {
    const [alone] = ((await runOne(locateJob({ questions: [question], resolution: 256 }))) as LocateResult).boxes
    t.same(said(boxes[i] as LocatedBox), said(alone as LocatedBox), question)
  }
})

t.test('a question that gets no numbers spoils no other about its image', async t => {
  const dir = modelThatFearsLetter(resolve(tiny, '../tiny-box'), t.testdir({}), '~')
  const cropper = { dir, precision: null }
  const caching = await loadModels({ ...options, cropper, targets: [], prefixCacheBytes: 64 * 1024 * 1024 })
  const ask = (question: string) => runOne(locateJob({ questions: [question] }), {}, caching)
  await t.rejects(ask('What is ~?'), { code: 'model_failed' })
  const first = (await ask('What is blue?')) as LocateResult
  await t.rejects(ask('What is ~?'), { code: 'model_failed' })
  const second = (await ask('What is blue?')) as LocateResult
  t.same(second.boxes[0]?.box, first.boxes[0]?.box)
  t.equal(second.boxes[0]?.cost.reused, true)
  // in one batch, the first of which was to keep the image for the others
  const anew = await loadModels({ ...options, cropper, targets: [], prefixCacheBytes: 64 * 1024 * 1024 })
  const batch = ['What is ~?', 'What is blue?', '~', 'What is blue?'].map(one => ({
    job: locateJob({ questions: [one] }),
    signal,
  }))
  const outcomes = await run(batch, {}, anew)
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'model_failed' } },
    { status: 'fulfilled', value: { boxes: [{ box: first.boxes[0]?.box }] } },
    { status: 'rejected', reason: { code: 'model_failed' } },
    { status: 'fulfilled', value: { boxes: [{ box: first.boxes[0]?.box }] } },
  ])
})

t.test('a local target knows an image again too', async t => {
  const caching = await loadModels({ ...options, prefixCacheBytes: 64 * 1024 * 1024 })
  const small = await noise(90, 60)
  for (const images of [[photo], [photo, small], [photo, small], [small, photo], [small]]) {
    const job = generateJob({ images, maxTokens: 8 })
    const { timings: _, intervals: _when, ...fresh } = (await runOne(job)) as GenerateResult
    const { timings: __, intervals: __when, ...cached } = (await runOne(job, {}, caching)) as GenerateResult
    t.same(cached, fresh)
  }
})
