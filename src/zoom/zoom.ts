/** What the use cases are asked, what they give, and what they stand on. */
import type { Box, PixelBox, Size } from '../contract/box.js'
import type { Cropper, Found } from '../cropper/cropper.js'
import type { Engine } from '../engine/engine.js'
import type { GenerationCost, Timings } from '../engine/protocol.js'
import type { Picture, PictureOptions } from '../image/picture.js'
import type { TargetAnswer } from '../target/target.js'

/** What the use cases stand on. */
export interface Zoom {
  cropper: Cropper
  engine: Engine
  observer: ZoomObserver
}

/** Ask for the regions of one image that help to answer questions. */
export interface FindRegions {
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  /** One or more. */
  questions: readonly string[]
  /** Longest edge the cropper sees, in pixels; null: the cropper's own. */
  resolution: number | null
  /** Growth of the box's area about its centre, 1..10. */
  expand: number
  pictures: PictureWishes
  /** Aborted when nobody waits any more. */
  signal: AbortSignal
  /** Unix milliseconds after which nobody waits. */
  deadline: number
}

/** Pictures wanted beside each box; null where one is not. */
export interface PictureWishes {
  /** The region, cut from the original pixels. */
  crop: PictureOptions | null
  /** The image with the box drawn. */
  overlay: PictureOptions | null
  /** For a target VLM: the whole image, upright. */
  targetFull: PictureOptions | null
  /** For a target VLM: the region. */
  targetCrop: PictureOptions | null
}

export type Pictures = { readonly [Name in keyof PictureWishes]: Picture | null }

/** What was found for one question. */
export interface Region extends Pick<Found, 'decision' | 'reason' | 'confidence' | 'raw'> {
  /** After `expand`; the whole image where `decision` is `fallback`. */
  box: Box
  /** The same in pixels of the upright image. */
  pixelBox: PixelBox
  pictures: Pictures
  cost?: GenerationCost
}

export interface FoundRegions extends Pick<Found, 'model'> {
  /** One a question, in their order. */
  regions: readonly Region[]
  /** Of the image after EXIF orientation. */
  image: Size
  /** Of all questions together. */
  timings: Timings
}

export type TargetOutcome = 'ok' | 'failed' | 'timeout' | 'aborted'

/** Told what the use cases did, for the metrics. */
export interface ZoomObserver {
  onFound(found: FoundRegions): void
  /** One call of a target has ended. @param usage As the target reported it; null where it did not. */
  onTargetCall(target: string, outcome: TargetOutcome, ms: number, usage: TargetAnswer['usage']): void
  /** All calls that one answer took have ended. */
  onAnswered(ms: number): void
}
