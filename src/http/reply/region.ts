/** What the use cases give, as the JSON of the API. */
import type { Static } from '@sinclair/typebox'
import { base64Of, type Picture } from '../../image/picture.js'
import type { FoundRegions, Region } from '../../zoom/zoom.js'
import type { CROP_LIST_REPLY, CROP_REPLY } from './schemas.js'

/**
 * The reply to one question.
 * @param totalMs Since the request arrived.
 */
export function cropReply(result: FoundRegions, requestId: string, totalMs: number): Static<typeof CROP_REPLY> {
  const { bbox, bbox_pixels, ...region } = regionReply(result.regions[0] as Region)
  const { image, model, ...rest } = sharedReply(result, requestId, totalMs)
  return { object: 'crop', bbox, bbox_pixels, image, ...region, model, ...rest }
}

/** The reply to a list of questions: what was found for each, in their order. */
export function cropListReply(
  result: FoundRegions,
  questions: readonly string[],
  requestId: string,
  totalMs: number,
): Static<typeof CROP_LIST_REPLY> {
  const results = result.regions.map((region, i) => ({ question: questions[i] ?? '', ...regionReply(region) }))
  return { object: 'crop_list', results, ...sharedReply(result, requestId, totalMs) }
}

function regionReply(region: Region) {
  const { box, pixelBox, decision, reason, wouldSkip, confidence, raw } = region
  const { crop, overlay } = region.pictures
  return {
    bbox: box,
    bbox_pixels: pixelBox,
    decision,
    reason,
    would_skip: wouldSkip,
    confidence,
    raw,
    ...(crop ? { crop: encode(crop) } : {}),
    ...(overlay ? { overlay: encode(overlay) } : {}),
  }
}

function sharedReply({ image, model, timings, warnings }: FoundRegions, requestId: string, totalMs: number) {
  return {
    image: { width: image.width, height: image.height },
    model,
    timings_ms: { ...rounded(timings), total: tenth(totalMs) },
    warnings: [...warnings],
    request_id: requestId,
  }
}

function encode(picture: Picture) {
  const { mediaType, width, height } = picture
  return { media_type: mediaType, width, height, data: base64Of(picture) }
}

function rounded<T extends Record<string, number>>(timings: T): T {
  return Object.fromEntries(Object.entries(timings).map(([stage, ms]) => [stage, tenth(ms)])) as T
}

/** Milliseconds to a tenth. */
export function tenth(ms: number): number {
  return Math.round(ms * 10) / 10
}
