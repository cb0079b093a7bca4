import { resolve } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { expandBox, FULL_BOX, toPixels } from '../../src/box.js'
import { runJob } from '../../src/engine/jobs.js'
import { loadModels, warmUp } from '../../src/engine/models.js'
import type { WorkerOptions } from '../../src/engine/options.js'
import type { CropJob, CropResult, GenerateJob, GenerateResult, PictureOptions } from '../../src/engine/protocol.js'
import { noise } from '../scripted.js'

const tiny = resolve(import.meta.dirname, '../fixtures/models/tiny')
const options: WorkerOptions = {
  cropper: { dir: tiny, precision: null },
  targets: [
    { name: 'a', dir: tiny, precision: null },
    { name: 'b', dir: tiny, precision: null },
  ],
  executionProvider: 'cpu',
  threads: 1,
  verifyHashes: true,
  constrained: true,
  limits: { maxPixels: 1e6, maxAspect: 20 },
}
const { signal } = new AbortController()
const models = await loadModels(options)
const photo = await noise(400, 300)
const PNG: PictureOptions = { format: 'png', quality: 90, longestEdge: null }
const NONE = { crop: null, overlay: null, targetFull: null, targetCrop: null }

async function crop(job: Partial<CropJob> = {}, changed: Partial<WorkerOptions> = {}): Promise<CropResult> {
  const whole: CropJob = {
    kind: 'crop',
    image: photo,
    question: 'Where is it?',
    resolution: null,
    expand: 1,
    pictures: NONE,
    ...job,
  }
  return (await runJob(whole, models, { ...options, ...changed }, signal)) as CropResult
}

async function generate(job: Partial<GenerateJob> = {}): Promise<GenerateResult> {
  const whole = { kind: 'generate' as const, model: 'b', images: [photo], text: 'What?', resolution: null }
  return (await runJob({ ...whole, maxTokens: 3, temperature: 0, ...job }, models, options, signal)) as GenerateResult
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
  const job = { kind: 'crop', image: photo, question: 'x', resolution: null, expand: 1, pictures: NONE } as const
  await t.rejects(runJob(job, models, options, AbortSignal.abort()))
})
