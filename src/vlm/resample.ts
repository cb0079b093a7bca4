import type { Size } from '../box.js'
import type { RawImage } from '../image.js'

/** One output pixel is a weighted sum of `length` input pixels from `start` on. */
interface Windows {
  starts: Int32Array
  lengths: Int32Array
  /** `taps` fixed-point weights for each output pixel. */
  weights: Int32Array
  taps: number
}

const LOBES = 3
// 32-bit sums, less 8 bits of pixel and 2 of headroom for the filter's overshoot.
const PRECISION = 22
const HALF = 1 << (PRECISION - 1)

/**
 * Resizes with Lanczos-3 exactly as Pillow does (libImaging/Resample.c): two passes, rows first, weights in 22-bit
 * fixed point, rounded to 8 bits after each pass. A pass whose length does not change is skipped.
 * libvips' own filter agrees when shrinking only, so this one serves both ways.
 */
export function resample(image: RawImage, size: Size): RawImage {
  if (size.width === image.width && size.height === image.height) return image
  const vertical = size.height === image.height ? null : lanczosWindows(image.height, size.height)
  const narrowed = size.width === image.width ? image : resampleRows(image, size.width)
  return vertical ? resampleColumns(narrowed, size.height, vertical) : narrowed
}

function lanczosWindows(from: number, to: number): Windows {
  const scale = from / to
  const stretch = Math.max(scale, 1)
  const support = LOBES * stretch
  const taps = Math.ceil(support) * 2 + 1
  const starts = new Int32Array(to)
  const lengths = new Int32Array(to)
  const weights = new Int32Array(to * taps)
  const raw = new Float64Array(taps)
  for (let out = 0; out < to; out++) {
    const centre = (out + 0.5) * scale
    const start = Math.max(Math.trunc(centre - support + 0.5), 0)
    const length = Math.min(Math.trunc(centre + support + 0.5), from) - start
    let sum = 0
    for (let i = 0; i < length; i++) {
      const weight = lanczos((i + start - centre + 0.5) * (1 / stretch))
      raw[i] = weight
      sum += weight
    }
    for (let i = 0; i < length; i++) {
      const weight = sum === 0 ? at(raw, i) : at(raw, i) / sum
      weights[out * taps + i] = Math.trunc(weight * (1 << PRECISION) + (weight < 0 ? -0.5 : 0.5))
    }
    starts[out] = start
    lengths[out] = length
  }
  return { starts, lengths, weights, taps }
}

function lanczos(x: number): number {
  return -LOBES <= x && x < LOBES ? sinc(x) * sinc(x / LOBES) : 0
}

function sinc(x: number): number {
  if (x === 0) return 1
  return Math.sin(x * Math.PI) / (x * Math.PI)
}

function resampleRows({ width, height, data }: RawImage, newWidth: number): RawImage {
  const { starts, lengths, weights, taps } = lanczosWindows(width, newWidth)
  const out = new Uint8ClampedArray(newWidth * height * 3)
  for (let y = 0; y < height; y++) {
    const row = y * width * 3
    let target = y * newWidth * 3
    for (let x = 0; x < newWidth; x++) {
      let r = HALF
      let g = HALF
      let b = HALF
      let pixel = row + at(starts, x) * 3
      const weightsEnd = x * taps + at(lengths, x)
      for (let i = x * taps; i < weightsEnd; i++) {
        const weight = at(weights, i)
        r = (r + Math.imul(at(data, pixel), weight)) | 0
        g = (g + Math.imul(at(data, pixel + 1), weight)) | 0
        b = (b + Math.imul(at(data, pixel + 2), weight)) | 0
        pixel += 3
      }
      out[target] = r >> PRECISION
      out[target + 1] = g >> PRECISION
      out[target + 2] = b >> PRECISION
      target += 3
    }
  }
  return { width: newWidth, height, data: new Uint8Array(out.buffer) }
}

function resampleColumns({ width, data }: RawImage, newHeight: number, windows: Windows): RawImage {
  const { starts, lengths, weights, taps } = windows
  const stride = width * 3
  const out = new Uint8ClampedArray(stride * newHeight)
  const sums = new Int32Array(stride)
  for (let y = 0; y < newHeight; y++) {
    sums.fill(HALF)
    // Whole rows are added up one after another: memory is read in order.
    for (let i = 0; i < at(lengths, y); i++) {
      const weight = at(weights, y * taps + i)
      const row = (at(starts, y) + i) * stride
      for (let x = 0; x < stride; x++) sums[x] = at(sums, x) + Math.imul(at(data, row + x), weight)
    }
    const target = y * stride
    for (let x = 0; x < stride; x++) out[target + x] = at(sums, x) >> PRECISION
  }
  return { width, height: newHeight, data: new Uint8Array(out.buffer) }
}

/** An element that the loops' bounds keep inside the array. */
function at(array: Uint8Array | Int32Array | Float64Array, index: number): number {
  return array[index] as number
}
