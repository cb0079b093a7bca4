import type { RawImage } from '../image/decode.js'
import type { TensorValue } from '../vlm/onnx/session.js'

/**
 * Pictures as the graphs take them: blue, green and red planes (PaddleOCR reads files with OpenCV), -1..1. A picture
 * that is narrower than the tensor is followed by zeros, which is grey.
 * @param pictures All of one height.
 * @param width Of the tensor, in pixels.
 */
export function pictureTensor(pictures: readonly RawImage[], width: number): TensorValue {
  const height = pictures[0]?.height ?? 0
  const plane = height * width
  const data = new Float32Array(pictures.length * 3 * plane)
  for (const [n, picture] of pictures.entries())
    for (let y = 0; y < height; y++) {
      let from = y * picture.width * 3
      let to = n * 3 * plane + y * width
      for (const end = to + picture.width; to < end; to++, from += 3) {
        data[to] = (picture.data[from + 2] as number) / 127.5 - 1
        data[to + plane] = (picture.data[from + 1] as number) / 127.5 - 1
        data[to + 2 * plane] = (picture.data[from] as number) / 127.5 - 1
      }
    }
  return { data, dims: [pictures.length, 3, height, width] }
}
