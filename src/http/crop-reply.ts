/** `POST /crop`'s request and reply: input to engine job, result to the JSON of the API. */
import type { CropJob, CropResult, Picture, PictureOptions } from '../engine/protocol.js'
import type { Input } from './input.js'
import type { CROP_OPTIONS } from './options.js'

export type CropInput = Input<typeof CROP_OPTIONS>

/** The pictures that a target VLM wants beside those the caller asked for. */
export type TargetPictures = Pick<CropJob['pictures'], 'targetFull' | 'targetCrop'>

export const NO_TARGET: TargetPictures = { targetFull: null, targetCrop: null }

export function cropJob({ image, question, options }: CropInput, target: TargetPictures): CropJob {
  const picture: PictureOptions = { format: options.format, quality: options.quality, longestEdge: null }
  return {
    kind: 'crop',
    image,
    question,
    resolution: options.resolution,
    expand: options.expand,
    pictures: {
      crop: options.return === 'crop' ? picture : null,
      overlay: options.return === 'overlay' ? picture : null,
      ...target,
    },
  }
}

/** @param totalMs Since the request arrived. */
export function cropReply(result: CropResult, requestId: string, totalMs: number) {
  const { crop, overlay } = result.pictures
  return {
    bbox: result.box,
    bbox_pixels: result.pixelBox,
    image: { width: result.image.width, height: result.image.height },
    decision: result.decision,
    reason: result.reason,
    confidence: result.confidence,
    raw: result.raw,
    model: result.model,
    ...(crop ? { crop: encode(crop) } : {}),
    ...(overlay ? { overlay: encode(overlay) } : {}),
    timings_ms: { ...rounded(result.timings), total: tenth(totalMs) },
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
