/**
 * From the detector's map to lines, as "Real-time Scene Text Detection with Differentiable Binarization" (DB) does it:
 * threshold, connected parts, smallest rectangles, each grown as the training had shrunk it. The numbers are those of
 * `rapidocr` 3.10.
 */
import type { Size } from '../../contract/box.js'
import { components } from './components.js'
import { grow, type Rectangle, smallestRectangle } from './rectangle.js'

/** Least probability of a pixel that belongs to a line. */
const PIXEL_THRESHOLD = 0.3
/** Least mean probability inside a line's rectangle. */
const LINE_THRESHOLD = 0.5
/** How far a rectangle grows: this times its area over its perimeter. */
const UNCLIP = 1.6
/** Least height of a rectangle before and after it has grown, in pixels of the map. */
const MIN_SIDE = 3
const MIN_GROWN_SIDE = 5
/** Lines of one picture at most; a pattern that is no text may look like thousands. */
const MAX_LINES = 1000

/**
 * Where the lines are.
 * @param map The detector's output: for each pixel how likely it is text, 0..1.
 * @returns Rectangles in pixels of the map.
 */
export function textRegions(map: Float32Array, size: Size): Rectangle[] {
  const regions: Rectangle[] = []
  for (const points of components(dilated(map, size), size).slice(0, MAX_LINES)) {
    const tight = smallestRectangle(points)
    if (Math.min(tight.width, tight.height) < MIN_SIDE || meanInside(map, size, tight) < LINE_THRESHOLD) continue
    const grown = grow(tight, (UNCLIP * tight.width * tight.height) / (2 * (tight.width + tight.height)))
    if (Math.min(grown.width, grown.height) >= MIN_GROWN_SIDE) regions.push(grown)
  }
  return regions
}

/** The map's text pixels, each with the one right of it, below it and both. */
function dilated(map: Float32Array, { width, height }: Size): Uint8Array {
  const mask = new Uint8Array(map.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if ((map[at] as number) <= PIXEL_THRESHOLD) continue
      const right = x + 1 < width ? 1 : 0
      const below = y + 1 < height ? width : 0
      mask[at] = mask[at + right] = mask[at + below] = mask[at + right + below] = 1
    }
  return mask
}

function meanInside(map: Float32Array, { width, height }: Size, { corners, ...sides }: Rectangle): number {
  const [origin, right, , below] = corners
  const along = [(right[0] - origin[0]) / sides.width, (right[1] - origin[1]) / sides.width] as const
  const across = [(below[0] - origin[0]) / sides.height, (below[1] - origin[1]) / sides.height] as const
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  let [sum, count] = [0, 0]
  for (let y = Math.max(0, Math.floor(Math.min(...ys))); y <= Math.min(height - 1, Math.ceil(Math.max(...ys))); y++)
    for (let x = Math.max(0, Math.floor(Math.min(...xs))); x <= Math.min(width - 1, Math.ceil(Math.max(...xs))); x++) {
      const [dx, dy] = [x - origin[0], y - origin[1]]
      const u = dx * along[0] + dy * along[1]
      const v = dx * across[0] + dy * across[1]
      if (u < -0.5 || u > sides.width + 0.5 || v < -0.5 || v > sides.height + 0.5) continue
      sum += map[y * width + x] as number
      count += 1
    }
  return count === 0 ? 0 : sum / count
}
