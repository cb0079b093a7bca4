import type { RawImage } from '../../../src/image/decode.js'
import { resample } from '../../../src/image/pillow.js'
import { tileGrid } from '../../../src/vlm/idefics3/grid.js'

/**
 * The image at its longest edge, by our own filter, so that nothing is left for libvips to shrink: for goldens whose
 * random weights answer by a hair.
 */
export function exactly(image: RawImage, longestEdge: number, tile = 64): RawImage {
  return resample(image, tileGrid(image, longestEdge, tile).scaled)
}
