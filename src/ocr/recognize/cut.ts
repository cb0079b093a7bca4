import type { RawImage } from '../../image/decode.js'
import type { Rectangle } from '../detect/rectangle.js'

/** Height of the recognition graph's input, in pixels. */
export const LINE_HEIGHT = 48
/** A region that is taller than it is wide by this factor holds a line that runs downwards, its letters on their side. */
const VERTICAL = 1.5
/** Longest cut, in pixels: a line of 300 letters. What is longer is squeezed. */
const MAX_WIDTH = 3200

/** Cuts a line out of a picture, level and 48 pixels high. */
export function cutLine(picture: RawImage, { corners: [a, b, c, d], width, height }: Rectangle): RawImage {
  const downwards = height >= VERTICAL * width
  // the line's own top left, top right and bottom left
  const [origin, right, below] = downwards ? [b, c, a] : [a, b, d]
  const [long, high] = downwards ? [height, width] : [width, height]
  const columns = Math.max(8, Math.min(MAX_WIDTH, Math.ceil((LINE_HEIGHT * long) / Math.max(1, high))))
  const alongX = [(right[0] - origin[0]) / columns, (right[1] - origin[1]) / columns] as const
  const alongY = [(below[0] - origin[0]) / LINE_HEIGHT, (below[1] - origin[1]) / LINE_HEIGHT] as const
  // a pixel of the cut is the mean of as many places as the line is made smaller
  const places = Math.max(1, Math.min(8, Math.round(high / LINE_HEIGHT)))
  const data = new Uint8Array(columns * LINE_HEIGHT * 3)
  const { data: pixels, width: edgeX, height: edgeY } = picture
  for (let v = 0, at = 0; v < LINE_HEIGHT; v++)
    for (let u = 0; u < columns; u++, at += 3) {
      let [red, green, blue] = [0, 0, 0]
      for (let j = 0; j < places; j++)
        for (let i = 0; i < places; i++) {
          const s = u + (i + 0.5) / places
          const t = v + (j + 0.5) / places
          // bilinear: the colour at a place between pixels; beyond the edge it is the edge's
          const x = Math.max(0, Math.min(edgeX - 1, origin[0] + s * alongX[0] + t * alongY[0] - 0.5))
          const y = Math.max(0, Math.min(edgeY - 1, origin[1] + s * alongX[1] + t * alongY[1] - 0.5))
          const x0 = Math.floor(x)
          const y0 = Math.floor(y)
          const fx = x - x0
          const fy = y - y0
          const a = (y0 * edgeX + x0) * 3
          const b = x0 + 1 < edgeX ? a + 3 : a
          const c = y0 + 1 < edgeY ? a + 3 * edgeX : a
          const d = b + c - a
          red += between(pixels[a], pixels[b], pixels[c], pixels[d], fx, fy)
          green += between(pixels[a + 1], pixels[b + 1], pixels[c + 1], pixels[d + 1], fx, fy)
          blue += between(pixels[a + 2], pixels[b + 2], pixels[c + 2], pixels[d + 2], fx, fy)
        }
      data[at] = Math.round(red / places ** 2)
      data[at + 1] = Math.round(green / places ** 2)
      data[at + 2] = Math.round(blue / places ** 2)
    }
  return { width: columns, height: LINE_HEIGHT, data }
}

function between(a = 0, b = 0, c = 0, d = 0, fx: number, fy: number): number {
  return (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy
}
