import { type Box, type BoxProblem, type Rect, roundOutwards, type Size } from '../../contract/box.js'
import type { Dialect } from '../dialects/dialect.js'
import type { Growth } from '../dialects/growth.js'
import type { BoxText } from '../dialects/read/box-text.js'

/**
 * In per cent; smaller than any difference that a dialect can write. An edge that floating point has moved past a whole
 * per cent by less than this is not rounded outwards to the next one.
 */
const NOISE = 1e-6

interface Sizes {
  /** Of the upright original. */
  image: Size
  /** Of the picture that the model was sent. */
  picture: Size
}

/**
 * The region in whole per cent of the upright original that a model's numbers mean: swapped ends are put in order, what
 * lies past the image's edge is cut off, and the result is rounded outwards.
 */
export function placeBox(
  { numbers, isNamed }: Pick<BoxText, 'numbers' | 'isNamed'>,
  dialect: Pick<Dialect, 'order' | 'scale' | 'frame'>,
  growth: Growth,
  { image, picture }: Sizes,
): { box: Box } | { problem: BoxProblem } {
  const [first, second, third, fourth] = numbers
  const isYFirst = dialect.order === 'yxyx' && !isNamed
  const [xs, ys] = isYFirst
    ? [[second, fourth] as const, [first, third] as const]
    : [[first, third] as const, [second, fourth] as const]
  const longer = Math.max(image.width, image.height)
  const perCent = (ends: readonly [number, number], side: 'width' | 'height') => {
    const frame = dialect.frame === 'square' ? longer : image[side]
    const scale = dialect.scale === 'pixels' ? picture[side] : dialect.scale
    // pixels of the original, less what was padded before its edge
    const pixels = ends.map(end => (end / scale) * frame - (frame - image[side]) / 2)
    return pixels.map(pixel => (pixel / image[side]) * 100).sort((one, other) => one - other) as [number, number]
  }
  const [x1, x2] = perCent(xs, 'width')
  const [y1, y2] = perCent(ys, 'height')
  if (!(x2 > x1 && y2 > y1)) return { problem: 'empty_box' }
  const inside = clamp([x1, y1, x2, y2])
  if (!(inside[2] > inside[0] && inside[3] > inside[1])) return { problem: 'out_of_range' }
  const [left, top, right, bottom] = growth(inside, image)
  return { box: roundOutwards([left + NOISE, top + NOISE, right - NOISE, bottom - NOISE]) }
}

function clamp(rect: Rect): Rect {
  const [x1, y1, x2, y2] = rect.map(value => Math.min(100, Math.max(0, value)))
  return [x1 ?? 0, y1 ?? 0, x2 ?? 0, y2 ?? 0]
}
