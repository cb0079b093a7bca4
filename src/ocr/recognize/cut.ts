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
  const sum = [0, 0, 0] as [number, number, number]
  for (let v = 0; v < LINE_HEIGHT; v++)
    for (let u = 0; u < columns; u++) {
      sum.fill(0)
      for (let j = 0; j < places; j++)
        for (let i = 0; i < places; i++) {
          const [s, t] = [u + (i + 0.5) / places, v + (j + 0.5) / places]
          const x = origin[0] + s * alongX[0] + t * alongY[0] - 0.5
          const y = origin[1] + s * alongX[1] + t * alongY[1] - 0.5
          addBilinear(picture, x, y, sum)
        }
      const at = (v * columns + u) * 3
      for (let channel = 0; channel < 3; channel++) data[at + channel] = Math.round((sum[channel] ?? 0) / places ** 2)
    }
  return { width: columns, height: LINE_HEIGHT, data }
}

/** Adds the colour at a place between pixels; beyond the edge it is the edge's. */
function addBilinear({ data, width, height }: RawImage, x: number, y: number, sum: [number, number, number]): void {
  const [cx, cy] = [Math.max(0, Math.min(width - 1, x)), Math.max(0, Math.min(height - 1, y))]
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)]
  const [fx, fy] = [cx - x0, cy - y0]
  const stepX = x0 + 1 < width ? 3 : 0
  const stepY = y0 + 1 < height ? 3 * width : 0
  const at = (y0 * width + x0) * 3
  for (let channel = 0; channel < 3; channel++) {
    const from = at + channel
    const top = (data[from] as number) * (1 - fx) + (data[from + stepX] as number) * fx
    const bottom = (data[from + stepY] as number) * (1 - fx) + (data[from + stepX + stepY] as number) * fx
    sum[channel] = (sum[channel] as number) + top * (1 - fy) + bottom * fy
  }
}
