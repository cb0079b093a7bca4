import { type Box, expandBox, FULL_BOX, toPixels } from '../contract/box.js'
import type { Cropper, Found } from '../cropper/cropper.js'
import type { Engine } from '../engine/engine.js'
import type { PictureRequest, Timings } from '../engine/protocol.js'
import { CropVlmError } from '../errors.js'
import type { PictureOptions } from '../image/picture.js'
import type { FindRegions, FoundRegions, Pictures, PictureWishes, Region, Zoom } from './zoom.js'

/**
 * Asks the cropper where to look, then has the engine make the pictures that are wanted of it.
 * @throws CropVlmError unsupported_resolution, and what the cropper and the engine throw
 */
export async function findRegions({ cropper, engine, observer }: Zoom, request: FindRegions): Promise<FoundRegions> {
  checkResolution(cropper, request.resolution)
  const found = await findBoxes(cropper, request)
  const boxes = found.map(({ box, decision }) => (decision === 'fallback' ? FULL_BOX : expandBox(box, request.expand)))
  const rendered = await makePictures(engine, request, boxes)
  const [{ image, model }] = found as [Found]
  const regions = found.map(({ decision, reason, confidence, raw, cost }, i): Region => {
    const box = boxes[i] as Box
    const pictures = rendered.pictures[i] ?? NO_PICTURES
    const region = { box, pixelBox: toPixels(box, image), decision, reason, confidence, raw, pictures }
    return cost ? { ...region, cost } : region
  })
  const result = { regions, image, model, timings: sum([...found.map(({ timings }) => timings), rendered.timings]) }
  observer.onFound(result)
  return result
}

/** Known before the cropper is asked, once its model has loaded; until then the engine tells. */
function checkResolution({ info: { resolutions } }: Cropper, wanted: number | null): void {
  if (wanted === null || !resolutions || resolutions.includes(wanted)) return
  throw new CropVlmError(
    'unsupported_resolution',
    `The cropper has no resolution ${wanted}; it has ${resolutions.join(', ')}.`,
  )
}

/** One box a question. A question that fails fails them all. */
async function findBoxes(
  cropper: Cropper,
  { image, questions, resolution, pictures, signal, deadline }: FindRegions,
): Promise<Found[]> {
  const keepPixels = Object.values(pictures).some(wish => wish !== null)
  const outcomes = await cropper.find(
    questions.map(question => ({ image, question, resolution, keepPixels, signal, deadline })),
  )
  return outcomes.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

const NO_PICTURES: Pictures = { crop: null, overlay: null, targetFull: null, targetCrop: null }

const RENDERED: { readonly [Name in keyof PictureWishes]: Pick<PictureRequest, 'show' | 'packing'> } = {
  crop: { show: 'region', packing: 'small' },
  overlay: { show: 'overlay', packing: 'small' },
  targetFull: { show: 'whole', packing: 'fast' },
  targetCrop: { show: 'region', packing: 'fast' },
}

/** The pictures of each box, all made by one job; none is run where none is wanted. */
async function makePictures(
  engine: Engine,
  { image, pictures: wishes, signal, deadline }: FindRegions,
  boxes: readonly Box[],
): Promise<{ pictures: readonly Pictures[]; timings: Partial<Timings> }> {
  const wanted = boxes.flatMap((region, i) =>
    Object.entries(wishes).flatMap(([name, options]: [string, PictureOptions | null]) => {
      const key = name as keyof PictureWishes
      return options ? [{ i, key, request: { ...RENDERED[key], region, ...options } }] : []
    }),
  )
  if (wanted.length === 0) return { pictures: [], timings: {} }
  const requests = wanted.map(({ request }) => request)
  const result = await engine.run(
    { kind: 'render', image, pictures: requests },
    { signal, deadline, isSecondHalf: true },
  )
  const pictures = boxes.map(() => ({ ...NO_PICTURES }))
  for (const [nth, { i, key }] of wanted.entries())
    Object.assign(pictures[i] as Pictures, { [key]: result.pictures[nth] })
  return { pictures, timings: result.timings }
}

/** Stage by stage; what several boxes share counts once. */
function sum(all: readonly Found['timings'][]): Timings {
  const total: Timings = { queue: 0, decode: 0, preprocess: 0, vision: 0, prefill: 0, generate: 0, crop: 0 }
  for (const timings of new Set(all))
    for (const [stage, ms] of Object.entries(timings)) total[stage as keyof Timings] += ms
  return total
}
