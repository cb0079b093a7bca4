/** What the engine process does for one job. */
import { expandBox, FULL_BOX, toPixels } from '../box.js'
import { cutPicture, overlayPicture, wholePicture } from '../crop.js'
import { findBox } from '../cropper/cropper.js'
import { CropVlmError } from '../errors.js'
import { decodeImage, type RawImage } from '../image.js'
import type { Models } from './models.js'
import type { WorkerOptions } from './options.js'
import type { CropJob, CropResult, GenerateJob, GenerateResult, Job, PictureOptions } from './protocol.js'

/**
 * @throws CropVlmError the image's codes, unsupported_resolution, unknown_target; whatever `signal` aborts with.
 */
export async function runJob(
  job: Job,
  models: Models,
  options: WorkerOptions,
  signal: AbortSignal,
): Promise<CropResult | GenerateResult> {
  return job.kind === 'crop' ? runCrop(job, models, options, signal) : runGenerate(job, models, options, signal)
}

async function runCrop(
  job: CropJob,
  { cropper }: Models,
  { limits, constrained }: WorkerOptions,
  signal: AbortSignal,
): Promise<CropResult> {
  const [image, decode] = await timed(() => decodeImage(job.image, limits))
  signal.throwIfAborted()
  const found = await findBox(cropper, image, job.question, { resolution: job.resolution, constrained, signal })
  const { decision, reason, confidence, raw, resolution, tiles, generatedTokens, timings } = found
  const box = decision === 'fallback' ? FULL_BOX : expandBox(found.box, job.expand)
  const pixelBox = toPixels(box, image)
  signal.throwIfAborted()
  const [pictures, crop] = await timed(() => makePictures(image, pixelBox, job.pictures))
  return {
    kind: 'crop',
    box,
    pixelBox,
    image: { width: image.width, height: image.height },
    decision,
    reason,
    confidence,
    raw,
    model: { id: cropper.info.id, resolution, tiles },
    pictures,
    timings: { queue: 0, decode, ...timings, crop },
    generatedTokens,
  }
}

async function makePictures(
  image: RawImage,
  pixelBox: CropResult['pixelBox'],
  wanted: CropJob['pictures'],
): Promise<CropResult['pictures']> {
  const make = (
    options: PictureOptions | null,
    picture: (options: PictureOptions) => ReturnType<typeof wholePicture>,
  ) => (options === null ? null : picture(options))
  const [crop, overlay, targetFull, targetCrop] = await Promise.all([
    make(wanted.crop, o => cutPicture(image, pixelBox, o)),
    make(wanted.overlay, o => overlayPicture(image, pixelBox, o)),
    make(wanted.targetFull, o => wholePicture(image, o, 'fast')),
    make(wanted.targetCrop, o => cutPicture(image, pixelBox, o, 'fast')),
  ])
  return { crop, overlay, targetFull, targetCrop }
}

async function runGenerate(
  job: GenerateJob,
  { targets }: Models,
  { limits }: WorkerOptions,
  signal: AbortSignal,
): Promise<GenerateResult> {
  const model = targets.get(job.model)
  if (!model) throw new CropVlmError('unknown_target', `The engine runs no target named "${job.model}".`)
  // the pictures are our own: a crop may well be more extreme than any image that is let in
  const own = { maxPixels: limits.maxPixels, maxAspect: Number.POSITIVE_INFINITY }
  const [images, decode] = await timed(() => Promise.all(job.images.map(bytes => decodeImage(bytes, own))))
  signal.throwIfAborted()
  const { text, tokens, promptTokens, timings } = await model.generate({
    images,
    text: job.text,
    resolution: job.resolution,
    maxNewTokens: job.maxTokens,
    temperature: job.temperature,
    grammar: null,
    signal,
  })
  return {
    kind: 'generate',
    text,
    usage: { promptTokens, completionTokens: tokens.length },
    timings: { queue: 0, decode, ...timings, crop: 0 },
  }
}

/** A result, and the milliseconds it took. */
async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}
