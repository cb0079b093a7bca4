import type { Size } from '../../contract/box.js'
import type { Point } from './rectangle.js'

/**
 * The connected parts of a mask, each as the points at the ends of its rows: enough for its convex hull.
 * @param mask `width * height` values, row by row; 0 is outside. It is used up.
 */
export function components(mask: Uint8Array, { width, height }: Size): Point[][] {
  const found: Point[][] = []
  const stack: number[] = []
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0) continue
    const left = new Map<number, number>()
    const right = new Map<number, number>()
    mask[start] = 0
    stack.push(start)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const y = Math.floor(at / width)
      const x = at - y * width
      if (x < (left.get(y) ?? width)) left.set(y, x)
      if (x > (right.get(y) ?? -1)) right.set(y, x)
      // a pixel has eight neighbours
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++)
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx
          if (mask[next] === 0) continue
          mask[next] = 0
          stack.push(next)
        }
    }
    found.push(
      [...left].flatMap(([y, x]): Point[] => [
        [x, y],
        [right.get(y) as number, y],
      ]),
    )
  }
  return found
}
