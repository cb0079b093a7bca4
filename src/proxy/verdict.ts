/** What was done to a request, as its reply's headers and the metrics tell it. */
import type { Box, PixelBox } from '../contract/box.js'
import type { CropVlmError } from '../errors.js'
import type { Picture } from '../image/picture.js'
import type { Image } from './chat/conversation.js'

export type Decision = 'zoomed' | 'skipped' | 'fallback' | 'failed' | 'off'

export interface Verdict {
  decision: Decision
  /** null where there is nothing to explain. */
  reason: string | null
  /** The crops that were put in, in their order. */
  boxes: readonly CropBox[]
  /** Of each crop that could not be looked for, or not in time. */
  failures: readonly { readonly reason: string; readonly error: CropVlmError }[]
  /** What the zoom took, in milliseconds. */
  ms: number
  /** The error with which the request is answered, where `decision` is `failed`. */
  error?: CropVlmError
}

export interface CropBox {
  /** Index of the message whose question asked for the crop, and which got it. */
  turn: number
  image: Pick<Image, 'message' | 'part'>
  box: Box
  pixelBox: PixelBox
  picture: Pick<Picture, 'width' | 'height'>
}

export const NO_ZOOM: Verdict = { decision: 'off', reason: null, boxes: [], failures: [], ms: 0 }

/** Of a request whose images are not looked at. */
export function skipped(reason: string, ms = 0): Verdict {
  return { ...NO_ZOOM, decision: 'skipped', reason, ms }
}

/** Of a request that could not be looked at. @param isClosed Whether it is answered with the error (`ZOOM_FAIL`). */
export function failed(error: CropVlmError, isClosed: boolean): Verdict {
  const reason = error.code
  return { ...NO_ZOOM, decision: 'failed', reason, failures: [{ reason, error }], ...(isClosed ? { error } : {}) }
}

/** Headers are read with a limit of some kilobytes: of a long conversation the newest boxes are told. */
const MAX_BOXES = 8

export function verdictHeaders({ decision, reason, boxes, ms }: Verdict): Record<string, string> {
  return {
    'x-cropvlm-decision': decision,
    ...(reason === null ? {} : { 'x-cropvlm-reason': reason }),
    'x-cropvlm-boxes': JSON.stringify(boxes.slice(-MAX_BOXES).map(boxHeader)),
    'x-cropvlm-ms': String(Math.round(ms * 10) / 10),
  }
}

/** `message` and `part` say which image; `turn`, whose question. All are indices of the request as it came. */
function boxHeader({ turn, image, box, pixelBox, picture }: CropBox) {
  const crop = { width: picture.width, height: picture.height }
  return { message: image.message, part: image.part, turn, bbox: box, bbox_pixels: pixelBox, crop }
}
