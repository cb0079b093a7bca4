/** In which size a picture is shown. */
import type { Size } from '../contract/box.js'

/** What the image processor of a VLM refuses to read. */
export interface PictureLimits {
  /** Least pixels of either side. */
  minSide: number
  /** Most times that one side may be as long as the other. */
  maxAspect: number
}

/** How large a picture is wanted. */
export interface Wanted {
  /** Longest edge in pixels; null: as large as it is. */
  longestEdge: number | null
  /** At most how many times a smaller picture is enlarged to `longestEdge`. Default: 1, it is not. */
  enlarge?: number
  /** Default: none. */
  limits?: PictureLimits
}

export interface Fitted {
  /** The size to which the picture is brought. */
  size: Size
  /** Pixels to be added on each side, in which the pixels at the edge are repeated. */
  padding: { left: number; top: number; right: number; bottom: number }
}

/** Most pixels of a picture that is enlarged: as many as the VLM with the sharpest sight takes (Qwen2.5-VL, 16,384 tokens). */
const MAX_ENLARGED = 16_384 * 28 * 28

/**
 * The size of a picture as it is wanted. Limits come before everything else, and nothing of the picture is lost to them:
 * a side that is too short is brought to its least by enlarging the whole, past `longestEdge` and `enlarge` if it must be
 * (a strip of 2000x100 becomes 560x28, not 512x26); and where a picture is too narrow for that, its edge is repeated until
 * the aspect is allowed. Shrinking the long side instead would make text unreadable.
 */
export function fitSize(size: Size, { longestEdge, enlarge = 1, limits }: Wanted): Fitted {
  const [long, short] = [Math.max(size.width, size.height), Math.min(size.width, size.height)]
  const most = Math.max(1, Math.min(enlarge, Math.sqrt(MAX_ENLARGED / (long * short))))
  const wanted = longestEdge === null ? 1 : Math.min(most, longestEdge / long)
  const { minSide, maxAspect } = limits ?? { minSide: 1, maxAspect: Number.POSITIVE_INFINITY }
  const scale = limits ? Math.max(wanted, minSide / Math.max(short, Math.ceil(long / maxAspect))) : wanted
  const fitted = { width: scaled(size.width, scale), height: scaled(size.height, scale) }
  const least = Math.max(minSide, Math.ceil(Math.max(fitted.width, fitted.height) / maxAspect))
  const [left, right] = halves(least - fitted.width)
  const [top, bottom] = halves(least - fitted.height)
  return { size: fitted, padding: { left, top, right, bottom } }
}

function scaled(side: number, scale: number): number {
  return Math.max(1, Math.round(side * scale))
}

function halves(missing: number): [number, number] {
  const all = Math.max(0, missing)
  const first = Math.floor(all / 2)
  return [first, all - first]
}
