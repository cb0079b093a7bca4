import type { Box, PixelBox } from '../../contract/box.js'
import type { CropVlmError } from '../../errors.js'
import type { Picture } from '../../image/picture.js'

/** What was found for one image and one question. */
export type CropOutcome = Crop | NoCrop

export interface Crop {
  readonly decision: 'zoomed'
  readonly box: Box
  readonly pixelBox: PixelBox
  readonly picture: Picture
}

export interface NoCrop {
  /** `skipped`: a crop would not help, or none can be looked for. `fallback`: there is no box. `failed`: the search failed. */
  readonly decision: 'skipped' | 'fallback' | 'failed'
  readonly reason: string
  /** Why looking for it failed; absent where it did not fail. */
  readonly error?: CropVlmError
}
