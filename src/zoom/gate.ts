import { areaShare, type Box, type Size, toPixels } from '../contract/box.js'
import type { Found } from '../cropper/cropper.js'

/**
 * Whether to zoom: `always` as in the paper, whatever the box; `auto` unless a rule below says that the crop would not
 * help; `never`, so that the cropper is not even asked.
 */
export type ZoomMode = 'always' | 'auto' | 'never'

/** Why a box that was found is not zoomed into, or why none was looked for. */
export type SkipReason = 'never' | 'sees_all' | 'low_confidence' | 'whole_image'

/** When not to zoom. */
export interface Gate {
  mode: ZoomMode
  /** A box with a lower confidence is skipped; 0: none is. A cropper that does not know its confidence is believed. */
  minConfidence: number
  /** A box that covers a larger share of the image, 0..1, is skipped. */
  maxArea: number
}

/** What a target VLM gets of an image. */
export interface TargetView {
  /** Longest edge in pixels to which the whole image is shrunk; null: it is not shrunk. */
  fullEdge: number | null
  /** Whether a small crop arrives larger than it was cut. */
  enlarges: boolean
  /** Longest edge in pixels up to which it is enlarged; null: whatever its size. Default: null. */
  cropEdge?: number | null
}

/**
 * Why the crop of a box would not help by the rules of `auto`, whatever the mode; null if it may.
 *
 * Source of the rule: in Table 8 of the paper, a crop lowers the scores on V* and HR-Bench where the target sees the
 * whole image at 1792 pixels.
 * @param view What the target gets; null if no target is asked.
 */
export function skipReason(
  { box, confidence }: Pick<Found, 'confidence'> & { box: Box },
  image: Size,
  { minConfidence, maxArea }: Gate,
  view: TargetView | null,
): SkipReason | null {
  if (view && seesAll(box, image, view)) return 'sees_all'
  if (confidence !== null && confidence < minConfidence) return 'low_confidence'
  return areaShare(box) > maxArea ? 'whole_image' : null
}

/** Whether the target gets every pixel of the image anyway, and the crop would show them no larger. */
function seesAll(box: Box, image: Size, { fullEdge, enlarges, cropEdge = null }: TargetView): boolean {
  const [left, top, right, bottom] = toPixels(box, image)
  const isEnlarged = enlarges && (cropEdge === null || Math.max(right - left, bottom - top) < cropEdge)
  return !isEnlarged && (fullEdge === null || Math.max(image.width, image.height) <= fullEdge)
}
