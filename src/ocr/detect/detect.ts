import type { Size } from '../../contract/box.js'
import { fromPixels, type RawImage } from '../../image/decode.js'
import { floats, type Session } from '../../vlm/onnx/session.js'
import { pictureTensor } from '../tensor.js'
import type { Point, Rectangle } from './rectangle.js'
import { textRegions } from './regions.js'

/** The shorter edge is at least so long, in pixels, where that does not make the longer one too long. */
const SHORTER_EDGE = 736
/** The longer edge is at most so long, in pixels: what the detector takes grows with the area. */
const LONGER_EDGE = 1280
/** The graph takes sides that are multiples of this. */
const STEP = 32

/**
 * Finds the lines of text of a picture.
 * @returns Rectangles in pixels of the picture, and the milliseconds that resizing and the graph took.
 */
export async function detectLines(
  graph: Session,
  picture: RawImage,
): Promise<{ regions: Rectangle[]; preprocess: number; detect: number }> {
  const start = performance.now()
  const size = detectorSize(picture)
  const { data } = await fromPixels(picture)
    .resize({ ...size, fit: 'fill', kernel: 'lanczos3' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const input = pictureTensor({ ...size, data }, size.width)
  const prepared = performance.now()
  const [name] = graph.inputs.keys()
  const outputs = await graph.run({ [name as string]: input })
  const [map] = Object.values(outputs)
  if (!map) throw new Error('the detector has no output')
  const scale = { x: picture.width / size.width, y: picture.height / size.height }
  const regions = textRegions(floats(map), size).map(region => stretched(region, scale))
  return { regions, preprocess: prepared - start, detect: performance.now() - prepared }
}

/** The size of the detector's input for a picture. */
export function detectorSize({ width, height }: Size): Size {
  const [shorter, longer] = [Math.min(width, height), Math.max(width, height)]
  const scale = Math.min(Math.max(1, SHORTER_EDGE / shorter), LONGER_EDGE / longer)
  const side = (pixels: number) => Math.max(STEP, Math.round((pixels * scale) / STEP) * STEP)
  return { width: side(width), height: side(height) }
}

function stretched({ corners }: Rectangle, { x, y }: { x: number; y: number }): Rectangle {
  const moved = corners.map(([px, py]): Point => [px * x, py * y]) as unknown as Rectangle['corners']
  const [a, b, , d] = moved
  return { corners: moved, width: Math.hypot(b[0] - a[0], b[1] - a[1]), height: Math.hypot(d[0] - a[0], d[1] - a[1]) }
}
