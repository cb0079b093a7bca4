import { expandBox, FULL_BOX, toPixels } from '../../contract/box.js'
import { type FoundBox, findBoxes } from '../../cropper/idefics3.js'
import type { RawImage } from '../../image/decode.js'
import { cutPicture, overlayPicture, wholePicture } from '../../image/pictures.js'
import type { PromptImage } from '../../vlm/request.js'
import type { WorkerOptions } from '../options.js'
import type { CropJob, CropResult, Picture, PictureOptions, Region, Timings } from '../protocol.js'
import { promptImage } from './image-file.js'
import { type Settle, settlingAll, type Task } from './jobs.js'
import type { Models } from './models.js'

/** Finds the boxes of all questions of all jobs as one batch, then makes each job's pictures. */
export async function runCrops(
  tasks: readonly Task<CropJob>[],
  { cropper }: Models,
  { limits, constrained }: WorkerOptions,
  settle: Settle,
): Promise<void> {
  await settlingAll(tasks, settle, async () => {
    const images = tasks.map(({ job }) =>
      promptImage(
        job.image,
        limits,
        Object.values(job.pictures).some(picture => picture !== null),
      ),
    )
    const requests = tasks.flatMap(({ job: { questions, resolution }, signal }, i) =>
      questions.map(question => ({ image: images[i] as PromptImage, question, resolution, signal })),
    )
    const outcomes = await findBoxes(cropper, requests, constrained)
    for (const [i, task] of tasks.entries()) {
      const own = outcomes.splice(0, task.job.questions.length)
      await settlingAll([task], settle, async () => {
        const found = own.map(outcome => {
          if (outcome.status === 'rejected') throw outcome.reason
          return outcome.value
        })
        task.signal.throwIfAborted()
        const value = await cropResult(task.job, found, images[i] as PromptImage, cropper.info.id)
        settle(task, { status: 'fulfilled', value })
      })
    }
  })
}

async function cropResult(
  job: CropJob,
  found: readonly FoundBox[],
  image: PromptImage,
  modelId: string,
): Promise<CropResult> {
  const [first] = found
  if (!first) throw new Error('a job without questions')
  const start = performance.now()
  const regions: Region[] = []
  for (const one of found) regions.push(await region(job, one, image))
  return {
    kind: 'crop',
    regions,
    image: first.size,
    model: { id: modelId, resolution: first.resolution, tiles: first.tiles },
    timings: { queue: 0, ...stages(found), crop: performance.now() - start },
  }
}

async function region(job: CropJob, found: FoundBox, image: PromptImage): Promise<Region> {
  const { size, decision, reason, confidence, raw, generatedTokens, runs, nonGreedyTokens, reused, group } = found
  const box = decision === 'fallback' ? FULL_BOX : expandBox(found.box, job.expand)
  const pixelBox = toPixels(box, size)
  const pictures = await makePictures(image, pixelBox, job.pictures)
  const said = { decision, reason, confidence, raw, generatedTokens, runs, nonGreedyTokens, reused, batch: group.size }
  return { box, pixelBox, pictures, ...said }
}

/** Of all questions together: what was done for several of them at once counts once. */
function stages(found: readonly FoundBox[]): Omit<Timings, 'queue' | 'crop'> {
  const sum = (boxes: readonly FoundBox[], stage: keyof FoundBox['timings']) =>
    boxes.reduce((total, { timings }) => total + timings[stage], 0)
  const last = new Map<object, FoundBox>()
  for (const box of found) {
    const longest = last.get(box.group)
    if (!longest || box.timings.generate > longest.timings.generate) last.set(box.group, box)
  }
  const groups = [...last.values()]
  return {
    decode: sum(found, 'decode'),
    preprocess: sum(found, 'preprocess'),
    vision: Math.max(...found.map(({ timings }) => timings.vision)),
    prefill: sum(groups, 'prefill'),
    generate: sum(groups, 'generate'),
  }
}

/** The image is decoded for them, if it has not been. */
async function makePictures(
  image: PromptImage,
  pixelBox: Region['pixelBox'],
  wanted: CropJob['pictures'],
): Promise<Region['pictures']> {
  const make = async (
    options: PictureOptions | null,
    picture: (pixels: RawImage, o: PictureOptions) => Promise<Picture>,
  ) => (options === null ? null : await picture(await (await image.open()).pixels(), options))
  const [crop, overlay, targetFull, targetCrop] = await Promise.all([
    make(wanted.crop, (pixels, o) => cutPicture(pixels, pixelBox, o)),
    make(wanted.overlay, (pixels, o) => overlayPicture(pixels, pixelBox, o)),
    make(wanted.targetFull, (pixels, o) => wholePicture(pixels, o, 'fast')),
    make(wanted.targetCrop, (pixels, o) => cutPicture(pixels, pixelBox, o, 'fast')),
  ])
  return { crop, overlay, targetFull, targetCrop }
}
