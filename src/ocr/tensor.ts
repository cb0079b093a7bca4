import type { RawImage } from '../image/decode.js'
import type { TensorValue } from '../vlm/onnx/session.js'

/** What each of the 256 values of a channel becomes: -1..1. */
const LEVELS = Float32Array.from({ length: 256 }, (_, value) => value / 127.5 - 1)

/**
 * A picture as the graphs take it: blue, green and red planes (PaddleOCR reads files with OpenCV), -1..1. A picture that is
 * narrower than the tensor is followed by zeros, which is grey.
 * @param width Of the tensor, in pixels.
 */
export function pictureTensor(picture: RawImage, width: number): TensorValue {
  const { height, data: pixels } = picture
  const plane = height * width
  const data = new Float32Array(3 * plane)
  for (let y = 0; y < height; y++) {
    let from = y * picture.width * 3
    let to = y * width
    for (const end = to + picture.width; to < end; to++, from += 3) {
      data[to] = LEVELS[pixels[from + 2] as number] as number
      data[to + plane] = LEVELS[pixels[from + 1] as number] as number
      data[to + 2 * plane] = LEVELS[pixels[from] as number] as number
    }
  }
  return { data, dims: [1, 3, height, width] }
}
