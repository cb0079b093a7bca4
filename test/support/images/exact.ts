import type { RawImage } from '../../../src/image/decode.js'
import { tileGrid } from '../../../src/vlm/idefics3/grid.js'
import { resample } from '../../../src/vlm/resize/pillow.js'

/**
 * The image at its longest edge, by our own filter, so that nothing is left for libvips to shrink: for goldens whose
 * random weights answer by a hair.
 */
export function exactly(image: RawImage, longestEdge: number, tile = 64): RawImage {
  return resample(image, tileGrid(image, longestEdge, tile).scaled)
}
