import { resolve } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { expandBox, FULL_BOX, toPixels } from '../../../src/contract/box.js'
import { type Outcome, runJobs, type Task } from '../../../src/engine/child/jobs.js'
import { loadModels, warmUp } from '../../../src/engine/child/models.js'
import type { WorkerOptions } from '../../../src/engine/options.js'
import type {
  CropJob,
  CropResult,
  GenerateJob,
  GenerateResult,
  Job,
  PictureOptions,
  Region,
} from '../../../src/engine/protocol.js'
import { noise } from '../../support/scripted.js'

const tiny = resolve(import.meta.dirname, '../../fixtures/models/tiny')
const options: WorkerOptions = {
  cropper: { dir: tiny, precision: null },
  targets: [
    { name: 'a', dir: tiny, precision: null },
    { name: 'b', dir: tiny, precision: null },
  ],
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
const PNG: PictureOptions = { format: 'png', quality: 90, longestEdge: null }
const NONE = { crop: null, overlay: null, targetFull: null, targetCrop: null }

/** The outcomes of jobs given to the engine together, in their order; each is told once. */
async function run(tasks: Task[], changed: Partial<WorkerOptions> = {}, using = models): Promise<Outcome[]> {
  const outcomes = new Map<Task, Outcome>()
  await runJobs(tasks, using, { ...options, ...changed }, (task, outcome) => {
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

const cropJob = (changes: Partial<CropJob> = {}): CropJob => ({
  kind: 'crop',
  image: photo,
  questions: ['Where is it?'],
  resolution: null,
  expand: 1,
  pictures: NONE,
  ...changes,
})

type OneRegion = Omit<CropResult, 'regions'> & Region

async function crop(job: Partial<CropJob> = {}, changed: Partial<WorkerOptions> = {}): Promise<OneRegion> {
  const { regions, ...result } = (await runOne(cropJob(job), changed)) as CropResult
  return { ...result, ...(regions[0] as Region) }
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

t.test('a box, in per cent and in pixels, and where the time went', async t => {
  const result = await crop()
  t.match(result, { kind: 'crop', decision: 'zoomed', reason: null, image: { width: 400, height: 300 } })
  t.match(result.model, { id: 'tiny', resolution: 64, tiles: 1 })
  t.same(result.pixelBox, toPixels(result.box, result.image))
  t.same(result.pictures, NONE)
  t.ok(result.confidence > 0 && result.confidence <= 1)
  t.same(Object.keys(result.timings).sort(), ['crop', 'decode', 'generate', 'prefill', 'preprocess', 'queue', 'vision'])
  t.equal((await crop({ resolution: 128 })).model.resolution, 128)
})

t.test('the pictures asked for, each in its own way', async t => {
  const targetCrop: PictureOptions = { format: 'jpeg', quality: 90, longestEdge: 16 }
  const pictures = {
    crop: PNG,
    overlay: { ...PNG, format: 'webp' } as const,
    targetFull: { ...PNG, longestEdge: 100 },
    targetCrop,
  }
  const result = await crop({ pictures })
  const [x1, y1, x2, y2] = result.pixelBox
  t.match(result.pictures.crop, { mediaType: 'image/png', width: x2 - x1, height: y2 - y1 })
  t.match(result.pictures.overlay, { mediaType: 'image/webp', width: 400, height: 300 })
  t.match(result.pictures.targetFull, { mediaType: 'image/png', width: 100, height: 75 })
  t.match(result.pictures.targetCrop, { mediaType: 'image/jpeg' })
  const original = await sharp(photo)
    .extract({ left: x1, top: y1, width: x2 - x1, height: y2 - y1 })
    .raw()
    .toBuffer()
  t.ok((await sharp(result.pictures.crop?.bytes).raw().toBuffer()).equals(original), 'the very pixels of the original')
})

t.test('expand grows the box that the model gave', async t => {
  const [plain, grown] = [await crop(), await crop({ expand: 4 })]
  t.same(grown.box, expandBox(plain.box, 4))
  t.equal(grown.raw, plain.raw)
})

t.test('without the grammar a model that knows nothing falls back to the whole image', async t => {
  const result = await crop({ expand: 4 }, { constrained: false })
  t.match(result, { decision: 'fallback', reason: 'no_box', box: FULL_BOX, pixelBox: [0, 0, 400, 300] })
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
  await t.rejects(crop({ image: new TextEncoder().encode('<svg/>') }), { code: 'unsupported_image_format' })
  await t.rejects(crop({ image: wide }), { code: 'image_aspect_too_extreme' })
  await t.rejects(crop({}, { limits: { maxPixels: 100, maxAspect: 20 } }), { code: 'image_too_large' })
  await t.rejects(crop({ resolution: 100 }), { code: 'unsupported_resolution' })
  const [given] = await run([{ job: cropJob(), signal: AbortSignal.abort() }])
  t.match(given, { status: 'rejected', reason: { code: 'request_aborted' } })
})

/** What a region says, less what tells how it was computed. */
const said = ({ box, raw, decision, generatedTokens }: Region) => ({ box, raw, decision, generatedTokens })
const regionsOf = (outcome: Outcome | undefined) =>
  outcome?.status === 'fulfilled' && outcome.value.kind === 'crop' ? outcome.value.regions : []

t.test('the same answers together as alone, whatever else is in the batch', async t => {
  const jobs: CropJob[] = []
  for (let i = 0; i < 11; i++) {
    const image = await noise(120 + 40 * (i % 4), 90 + 17 * i)
    const questions = ['Who?', 'What is the total amount due?', `Where is item ${i}?`].slice(0, 1 + (i % 3))
    jobs.push(cropJob({ image, questions, resolution: [64, 128, 256][i % 3] as number }))
  }
  const alone: Outcome[] = []
  for (const job of jobs) {
    const regions: Region[] = []
    for (const question of job.questions)
      regions.push(...regionsOf((await run([{ job: { ...job, questions: [question] }, signal }]))[0]))
    alone.push({ status: 'fulfilled', value: { kind: 'crop', regions } as unknown as CropResult })
  }
  const together = await run(jobs.map(job => ({ job, signal })))
  const reversed = (await run(jobs.map(job => ({ job, signal })).reverse())).reverse()
  const sizes = new Set<number>()
  for (const [i, outcome] of together.entries()) {
    t.equal(regionsOf(outcome).length, jobs[i]?.questions.length)
    t.same(regionsOf(outcome).map(said), regionsOf(alone[i]).map(said), `job ${i}`)
    t.same(regionsOf(reversed[i]).map(said), regionsOf(alone[i]).map(said), `job ${i}, the other way round`)
    for (const { batch } of regionsOf(outcome)) sizes.add(batch)
  }
  t.ok(sizes.has(8), 'they did go together')
})

t.test('a job that fails or is given up leaves the others of its batch alone', async t => {
  const good = cropJob()
  const [expected] = regionsOf((await run([{ job: good, signal }]))[0])
  const gone = new AbortController()
  const outcomes = await run([
    { job: good, signal },
    { job: cropJob({ image: new TextEncoder().encode('no image') }), signal },
    { job: cropJob({ questions: ['Who?', '\u0663'.repeat(2000)] }), signal },
    { job: cropJob(), signal: AbortSignal.abort() },
    { job: cropJob({ questions: ['Who?', 'What?', 'Why?'] }), signal: gone.signal },
    { job: generateJob({ model: 'none' }), signal },
    { job: generateJob(), signal },
    { job: cropJob({ resolution: 128 }), signal },
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
  t.same(regionsOf(outcomes[0]).map(said), [said(expected as Region)])
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
        const job = cropJob({ image, questions: [question], resolution })
        const fresh = (await runOne(job, {}, plain)) as CropResult
        const cached = (await runOne(job, {}, caching)) as CropResult
        t.equal(cached.regions[0]?.reused, nth > 0)
        if (nth > 0) t.match(cached.timings, { decode: 0, vision: 0 })
        t.same(cached.image, fresh.image)
        t.same(cached.model, fresh.model)
        t.same(cached.regions.map(said), fresh.regions.map(said), `${question} of image ${i}`)
        sameAnswers++
      }
    }
    t.equal(sameAnswers, 120)
    const image = await noise(500, 300)
    const wanted = { ...NONE, crop: PNG }
    const first = (await runOne(cropJob({ image }), {}, caching)) as CropResult
    const again = (await runOne(cropJob({ image, pictures: wanted }), {}, caching)) as CropResult
    t.same(again.regions[0]?.box, first.regions[0]?.box)
    t.equal(again.regions[0]?.pictures.crop?.mediaType, 'image/png', 'pictures are still cut from the pixels')
  })

t.test('questions in one job share the image, with and without a cache between jobs', async t => {
  const questions = Array.from({ length: 10 }, (_, i) => `What is in field ${i}?`)
  const { regions, timings } = (await runOne(cropJob({ questions, resolution: 256 }))) as CropResult
  t.same(
    regions.map(({ reused }) => reused),
    questions.map((_, i) => i > 0),
  )
  t.ok(timings.vision > 0)
  for (const [i, question] of questions.entries()) {
    const [alone] = ((await runOne(cropJob({ questions: [question], resolution: 256 }))) as CropResult).regions
    t.same(said(regions[i] as Region), said(alone as Region), question)
  }
})

t.test('a local target knows an image again too', async t => {
  const caching = await loadModels({ ...options, prefixCacheBytes: 64 * 1024 * 1024 })
  const small = await noise(90, 60)
  for (const images of [[photo], [photo, small], [photo, small], [small, photo], [small]]) {
    const job = generateJob({ images, maxTokens: 8 })
    const { timings: _, ...fresh } = (await runOne(job)) as GenerateResult
    const { timings: __, ...cached } = (await runOne(job, {}, caching)) as GenerateResult
    t.same(cached, fresh)
  }
})
