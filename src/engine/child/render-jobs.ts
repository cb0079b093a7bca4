import { toPixels } from '../../contract/box.js'
import type { RawImage } from '../../image/decode.js'
import type { Picture } from '../../image/picture.js'
import { overlayPicture, regionPicture, wholePicture } from '../../image/pictures.js'
import { throwIfAborted } from '../../vlm/decoding/abort.js'
import type { PictureRequest, RenderJob } from '../protocol.js'
import { type JobContext, type Settle, settlingAll, type Task } from './task.js'

/** Makes the pictures of one job, all from the same decoded pixels. */
export async function runRenderJob(
  task: Task<RenderJob>,
  { files, limits }: Pick<JobContext, 'files' | 'limits'>,
  settle: Settle,
): Promise<void> {
  await settlingAll([task], settle, async () => {
    throwIfAborted(task.signal)
    const { image, keepPixels = false } = task.job
    const file = files.read(image, limits, keepPixels)
    const start = performance.now()
    const pixels = await (await file.open()).pixels()
    const decoded = performance.now()
    const pictures = await Promise.all(task.job.pictures.map(request => makePicture(pixels, request)))
    if (!keepPixels) files.release(file)
    const { width, height } = pixels
    const timings = { queue: 0, decode: decoded - start, crop: performance.now() - decoded }
    settle(task, { status: 'fulfilled', value: { kind: 'render', pictures, image: { width, height }, timings } })
  })
}

function makePicture(pixels: RawImage, { show, region, whole, packing, ...options }: PictureRequest): Promise<Picture> {
  const compress = packing === 'small'
  switch (show) {
    case 'whole':
      return wholePicture(pixels, options, compress)
    case 'region':
      return regionPicture(pixels, toPixels(region, pixels, whole), options, compress)
    case 'overlay':
      return overlayPicture(pixels, toPixels(region, pixels, whole), options, compress)
  }
}
