/** `POST /crop`'s request and reply: input to engine job, result to the JSON of the API. */
import type { Static } from '@sinclair/typebox'
import type { CropJob, CropResult, Picture, PictureOptions, Region } from '../../engine/protocol.js'
import type { Input } from '../request/input.js'
import type { ANSWER_OPTIONS, CROP_OPTIONS } from '../request/options.js'
import type { CROP_LIST_REPLY, CROP_REPLY } from './schemas.js'

export type CropInput = Input<typeof CROP_OPTIONS> | Input<typeof ANSWER_OPTIONS>

/** The pictures that a target VLM wants beside those the caller asked for. */
export type TargetPictures = Pick<CropJob['pictures'], 'targetFull' | 'targetCrop'>

export const NO_TARGET: TargetPictures = { targetFull: null, targetCrop: null }

export function cropJob({ image, questions, options }: CropInput, target: TargetPictures): CropJob {
  const picture: PictureOptions = { format: options.format, quality: options.quality, longestEdge: null }
  return {
    kind: 'crop',
    image,
    questions,
    resolution: options.resolution,
    expand: options.expand,
    pictures: {
      crop: options.return === 'crop' ? picture : null,
      overlay: options.return === 'overlay' ? picture : null,
      ...target,
    },
  }
}

/**
 * The reply to one question.
 * @param totalMs Since the request arrived.
 */
export function cropReply(result: CropResult, requestId: string, totalMs: number): Static<typeof CROP_REPLY> {
  const { bbox, bbox_pixels, ...region } = regionReply(firstRegion(result))
  const { image, model, ...rest } = sharedReply(result, requestId, totalMs)
  return { object: 'crop', bbox, bbox_pixels, image, ...region, model, ...rest }
}

/** The reply to a list of questions: what was found for each, in their order. */
export function cropListReply(
  result: CropResult,
  questions: readonly string[],
  requestId: string,
  totalMs: number,
): Static<typeof CROP_LIST_REPLY> {
  const results = result.regions.map((region, i) => ({ question: questions[i] ?? '', ...regionReply(region) }))
  return { object: 'crop_list', results, ...sharedReply(result, requestId, totalMs) }
}

/** Of a job with one question. */
export function firstRegion({ regions: [region] }: CropResult): Region {
  if (!region) throw new Error('the engine gave no region')
  return region
}

function regionReply({ box, pixelBox, decision, reason, confidence, raw, pictures: { crop, overlay } }: Region) {
  return {
    bbox: box,
    bbox_pixels: pixelBox,
    decision,
    reason,
    confidence,
    raw,
    ...(crop ? { crop: encode(crop) } : {}),
    ...(overlay ? { overlay: encode(overlay) } : {}),
  }
}

function sharedReply({ image, model, timings }: CropResult, requestId: string, totalMs: number) {
  return {
    image: { width: image.width, height: image.height },
    model,
    timings_ms: { ...rounded(timings), total: tenth(totalMs) },
    request_id: requestId,
  }
}

function encode({ mediaType, width, height, bytes }: Picture) {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return { media_type: mediaType, width, height, data }
}

function rounded<T extends Record<string, number>>(timings: T): T {
  return Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, tenth(ms)])) as T
}

/** Milliseconds to a tenth. */
export function tenth(ms: number): number {
  return Math.round(ms * 10) / 10
}
