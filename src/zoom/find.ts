import { expandBox, FULL_BOX, toPixels } from '../contract/box.js'
import { oneLine } from '../contract/question.js'
import type { Cropper, Found } from '../cropper/cropper.js'
import type { Engine } from '../engine/engine.js'
import type { PictureRequest, Stage, Timings } from '../engine/protocol.js'
import { CropVlmError } from '../errors.js'
import type { PictureOptions } from '../image/picture.js'
import { skipReason } from './gate.js'
import type { FindRegions, FoundRegions, Pictures, PictureWishes, Region, Zoom } from './zoom.js'

const NO_PICTURES: Pictures = { crop: null, overlay: null, targetFull: null, targetCrop: null, targetCompare: null }

/** For each picture that can be wanted, how the engine renders it. */
const RENDERED: { readonly [Name in keyof PictureWishes]-?: Pick<PictureRequest, 'show' | 'packing'> } = {
  crop: { show: 'region', packing: 'small' },
  overlay: { show: 'overlay', packing: 'small' },
  targetFull: { show: 'whole', packing: 'fast' },
  targetCrop: { show: 'region', packing: 'fast' },
  targetCompare: { show: 'whole', packing: 'fast' },
}

/**
 * Asks the cropper for a box for each question, unless the request brings one, judges whether its crop would help, then has the engine make the
 * pictures that are wanted of each box.
 * @throws CropVlmError unsupported_resolution, and what the cropper and the engine throw
 */
export async function findRegions({ cropper, engine, observer }: Zoom, request: FindRegions): Promise<FoundRegions> {
  checkResolution(cropper, request.resolution)
  const keepPixels = Object.values(request.pictures).some(Boolean)
  const asksCropper = request.gate.mode !== 'never' && !request.box
  const found = await (!asksCropper
    ? lookNowhere(engine, request, keepPixels)
    : findBoxes(cropper, request, keepPixels))
  const judged = found.map(one => judge(one, request))
  const rendered = await makePictures(engine, request, judged)
  const [{ image, model }] = found as [Found]
  const regions = found.map(({ confidence, raw, cost, usage }, i): Region => {
    const { box, ...verdict } = judged[i] as Judged
    const pictures = rendered.pictures[i] ?? NO_PICTURES
    const region = { box, pixelBox: toPixels(box, image), ...verdict, confidence, raw, pictures }
    return { ...region, ...(cost ? { cost } : {}), ...(usage === undefined ? {} : { usage }) }
  })
  const result = {
    regions,
    image,
    model,
    warnings: asksCropper ? cropper.info.warnings : [],
    timings: {
      ...sumTimings([...found.map(({ timings }) => timings), rendered.timings]),
      ...(request.fetchMs === undefined ? {} : { fetch: request.fetchMs }),
    },
  }
  observer.onFound(result)
  return result
}

type Judged = Pick<Region, 'box' | 'decision' | 'reason' | 'wouldSkip'>

/** The box after its growth, and whether it is used. */
function judge(
  { box: found, decision, reason, confidence, image }: Found,
  { expand, gate, view, box: given }: FindRegions,
): Judged {
  if (gate.mode === 'never') return { box: FULL_BOX, decision: 'skipped', reason: 'never', wouldSkip: 'never' }
  const verdict = given ? ({ decision: 'given', reason: null } as const) : { decision, reason }
  const box = verdict.decision === 'fallback' ? FULL_BOX : expandBox(given ?? found, expand)
  const wouldSkip = skipReason({ box, confidence }, image, gate, view)
  if (verdict.decision !== 'fallback' && gate.mode === 'auto' && wouldSkip !== null)
    return { box, decision: 'skipped', reason: wouldSkip, wouldSkip }
  return { box, ...verdict, wouldSkip }
}

/** What stands for a found box where the cropper is not asked. The engine tells the size of the image. */
async function lookNowhere(
  engine: Engine,
  { image, questions, signal, deadline, span }: FindRegions,
  keepPixels: boolean,
): Promise<Found[]> {
  const job = { kind: 'render', image, keepPixels, pictures: [] } as const
  const { image: size, timings } = await engine.run(job, { signal, deadline, span })
  const model = { id: 'none', resolution: null, tiles: null }
  return questions.map(() => ({
    box: FULL_BOX,
    decision: 'fallback',
    reason: null,
    confidence: null,
    raw: '',
    image: size,
    model,
    timings,
  }))
}

/**
 * Refuses a resolution that the cropper does not have, before any work is done. As long as the cropper does not know
 * its resolutions, because its model has not been loaded, all are let through; the engine refuses a wrong one later.
 * @throws CropVlmError unsupported_resolution
 */
function checkResolution({ info: { resolutions } }: Cropper, wanted: number | null): void {
  if (wanted === null || !resolutions || resolutions.includes(wanted)) return
  const remedy = resolutions.length === 0 ? 'leave `resolution` out' : `it has ${resolutions.join(', ')}`
  throw new CropVlmError('unsupported_resolution', `The cropper has no resolution ${wanted}; ${remedy}.`)
}

/** The boxes of all questions, in their order. Throws if any question fails. */
async function findBoxes(
  cropper: Cropper,
  { image, questions, resolution, signal, deadline, span }: FindRegions,
  keepPixels: boolean,
): Promise<Found[]> {
  const outcomes = await cropper.find(
    questions.map(question => ({ image, question: oneLine(question), resolution, keepPixels, signal, deadline, span })),
  )
  return outcomes.map(outcome => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

/**
 * The pictures of each box, in the order of the boxes. One job makes them all; without wishes there is no job. A target
 * gets no crop of a box that is skipped, and one of a fallback where that is wanted.
 */
async function makePictures(
  engine: Engine,
  { image, pictures: wishes, cropsFallback = true, signal, deadline, span }: FindRegions,
  judged: readonly Judged[],
): Promise<{ pictures: readonly Pictures[]; timings: Partial<Timings> }> {
  const mayCrop = (decision: Region['decision']) => decision !== 'skipped' && (cropsFallback || decision !== 'fallback')
  /** One for each picture to be made: the index of its box, and its name among the box's pictures. */
  const wanted = judged.flatMap(({ box: region, decision }, i) =>
    Object.entries(wishes).flatMap(([name, options]: [string, PictureOptions | null]) => {
      const key = name as keyof PictureWishes
      if (!options || (key === 'targetCrop' && !mayCrop(decision))) return []
      return [{ box: i, key, request: { ...RENDERED[key], region, ...options } }]
    }),
  )
  if (wanted.length === 0) return { pictures: [], timings: {} }
  const requests = wanted.map(({ request }) => request)
  const result = await engine.run(
    { kind: 'render', image, pictures: requests },
    { signal, deadline, span, isSecondHalf: true },
  )
  const pictures = judged.map(() => ({ ...NO_PICTURES }))
  for (const [i, { box, key }] of wanted.entries())
    Object.assign(pictures[box] as Pictures, { [key]: result.pictures[i] })
  return { pictures, timings: result.timings }
}

/** The sum of each stage, in milliseconds. Boxes that were found together share one object, which counts once. */
function sumTimings(all: readonly Found['timings'][]): Timings {
  const total: Timings = { queue: 0, decode: 0, preprocess: 0, vision: 0, prefill: 0, generate: 0, crop: 0 }
  for (const timings of new Set(all))
    for (const [stage, ms] of Object.entries(timings) as [Stage, number][]) total[stage] = (total[stage] ?? 0) + ms
  return total
}
