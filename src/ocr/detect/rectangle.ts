/** A rectangle that may be slanted, in pixels. */
export interface Rectangle {
  /** The corners in order, each `[x, y]`: top left, top right, bottom right, bottom left, as the text is read. */
  corners: readonly [Point, Point, Point, Point]
  /** Of the sides along the line and across it. */
  width: number
  height: number
}

export type Point = readonly [x: number, y: number]

/** The smallest rectangle around points, of any slant. Its width is the side that is closer to level. */
export function smallestRectangle(points: readonly Point[]): Rectangle {
  const hull = convexHull(points)
  let best = upright(hull, [1, 0])
  // one side of the smallest rectangle lies on a side of the hull
  for (const [i, a] of hull.entries()) {
    const b = hull[(i + 1) % hull.length] as Point
    const length = Math.hypot(b[0] - a[0], b[1] - a[1])
    if (length === 0) continue
    const found = upright(hull, level([(b[0] - a[0]) / length, (b[1] - a[1]) / length]))
    if (found.width * found.height < best.width * best.height - 1e-9) best = found
  }
  return best
}

/** The rectangle with each side moved outwards by `distance`. */
export function grow({ corners, width, height }: Rectangle, distance: number): Rectangle {
  const [a, b, , d] = corners
  const along = unit(a, b, width)
  const across = unit(a, d, height, [-along[1], along[0]])
  const move = ([x, y]: Point, i: number, j: number): Point => [
    x + distance * (i * along[0] + j * across[0]),
    y + distance * (i * along[1] + j * across[1]),
  ]
  return {
    corners: [move(a, -1, -1), move(b, 1, -1), move(corners[2], 1, 1), move(d, -1, 1)],
    width: width + 2 * distance,
    height: height + 2 * distance,
  }
}

function unit(from: Point, to: Point, length: number, fallback: Point = [1, 0]): Point {
  return length === 0 ? fallback : [(to[0] - from[0]) / length, (to[1] - from[1]) / length]
}

/** Of the four directions of a rectangle's sides, the one that is closest to the reading direction. */
function level([x, y]: Point): Point {
  if (Math.abs(x) < Math.abs(y)) return y > 0 ? [y, -x] : [-y, x]
  return x > 0 ? [x, y] : [-x, -y]
}

/** The smallest rectangle around points with one side in the direction `along`, of length 1. */
function upright(points: readonly Point[], along: Point): Rectangle {
  const [ux, uy] = along
  let [minU, maxU, minV, maxV] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [x, y] of points) {
    const u = x * ux + y * uy
    const v = -x * uy + y * ux
    minU = Math.min(minU, u)
    maxU = Math.max(maxU, u)
    minV = Math.min(minV, v)
    maxV = Math.max(maxV, v)
  }
  const at = (u: number, v: number): Point => [u * ux - v * uy, u * uy + v * ux]
  return {
    corners: [at(minU, minV), at(maxU, minV), at(maxU, maxV), at(minU, maxV)],
    width: maxU - minU,
    height: maxV - minV,
  }
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  if (sorted.length < 3) return sorted
  const half = (all: readonly Point[]) => {
    const chain: Point[] = []
    for (const point of all) {
      while (chain.length > 1 && turn(chain.at(-2) as Point, chain.at(-1) as Point, point) <= 0) chain.pop()
      chain.push(point)
    }
    return chain.slice(0, -1)
  }
  return [...half(sorted), ...half(sorted.reverse())]
}

/** Positive where the way from a over b to c turns to one side, negative for the other, 0 where it is straight. */
function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}
