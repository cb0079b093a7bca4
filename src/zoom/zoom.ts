/** The types that the use cases share: requests, results, and the services that they call. */
import type { Box, PixelBox, Size } from '../contract/box.js'
import type { Cropper, Found } from '../cropper/cropper.js'
import type { Engine, Patience } from '../engine/engine.js'
import type { PictureRequest, Timings } from '../engine/protocol.js'
import type { Picture, PictureOptions } from '../image/picture.js'
import type { TargetAnswer } from '../target/target.js'
import type { Gate, SkipReason, TargetView } from './gate.js'

/** The services that the use cases call. */
export interface Zoom {
  cropper: Cropper
  engine: Engine
  observer: ZoomObserver
}

/** Ask for the regions of one image that help to answer questions. */
export interface FindRegions extends Patience {
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  /** One or more. */
  questions: readonly string[]
  /** Longest edge of the image that the cropper sees, in pixels; null: the cropper's own choice. */
  resolution: number | null
  /** Factor by which the box's area grows about its centre, 1..10. */
  expand: number
  gate: Gate
  /** A region that the caller chose, so that the cropper is not asked; null or left out: there is none. */
  box?: Box | null
  /** What a target VLM will get of the image; null if none is asked. */
  view: TargetView | null
  pictures: PictureWishes
  /** Whether a target's crop is also made where there is no box: of the whole image. Default: true. */
  cropsFallback?: boolean
  /** Milliseconds that fetching the image from its link took; left out where it came with the request. */
  fetchMs?: number
}

/** Which pictures are wanted of each box, and how; null: not this one. */
export interface PictureWishes {
  /** The region, cut from the original pixels. */
  crop: PictureOptions | null
  /** The image with the box drawn. */
  overlay: PictureOptions | null
  /** For a target VLM: the whole image, upright. */
  targetFull: PictureOptions | null
  /** For a target VLM: the region. `packing` is `fast` unless it says otherwise. */
  targetCrop: (PictureOptions & Partial<Pick<PictureRequest, 'packing'>>) | null
  /** For a target VLM: the whole image, where it is compared with another size of it than `targetFull`. */
  targetCompare?: PictureOptions | null
}

/** The pictures of one box; null where one was not wanted. */
export type Pictures = { readonly [Name in keyof PictureWishes]-?: Picture | null }

/** What was found for one question. */
export interface Region extends Pick<Found, 'confidence' | 'raw' | 'cost' | 'usage'> {
  /**
   * In per cent of the upright image, after `expand`; the whole image where `decision` is `fallback`, or where no box was
   * looked for.
   */
  box: Box
  /** `given`: the box is the caller's. `skipped`: there may be a box, but its crop is not used. */
  decision: 'zoomed' | 'given' | 'fallback' | 'skipped'
  /** Why there is no valid box, or why it is not used; null where `decision` is `zoomed` or `given`. */
  reason: string | null
  /** Why `zoom: auto` skips, or would skip, this box; null if it does not. */
  wouldSkip: SkipReason | null
  /** The same in pixels of the upright image. */
  pixelBox: PixelBox
  pictures: Pictures
}

export interface FoundRegions extends Pick<Found, 'model'> {
  /** One a question, in their order. */
  regions: readonly Region[]
  /** Of the image after EXIF orientation, in pixels. */
  image: Size
  /** What the caller should know about the cropper, for instance that its model knows only certain pictures. */
  warnings: readonly string[]
  /** Milliseconds by stage, of all questions together. */
  timings: Timings
}

/** `refused`: the target answered, with a refusal. `not_asked`: its breaker is open. */
export type TargetOutcome = 'ok' | 'refused' | 'failed' | 'timeout' | 'aborted' | 'not_asked'

/** Is told what the use cases did, for the metrics. */
export interface ZoomObserver {
  onFound(found: FoundRegions): void
  /**
   * One call of a target has ended, or was not made.
   * @param usage Tokens, as the target reported them; null if it did not, or if the call failed.
   */
  onTargetCall(target: string, outcome: TargetOutcome, ms: number, usage: TargetAnswer['usage']): void
  /** All calls that one answer took have succeeded, `ms` milliseconds after the first began. */
  onAnswered(ms: number): void
}
