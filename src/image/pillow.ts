import type { Size } from '../contract/box.js'
import type { RawImage } from './decode.js'

/** For each output pixel: it is the weighted sum of `lengths` input pixels from index `starts` on. */
interface Windows {
  starts: Int32Array
  lengths: Int32Array
  /** Fixed-point numbers, `taps` for each output pixel. */
  weights: Int32Array
  taps: number
}

/** Of Lanczos-3: the filter reaches this many pixels to each side (input pixels, or output pixels when it shrinks). */
const LOBES = 3
/** Bits after the point. Sums have 32 bits: 8 are the pixel's, and 2 are left for what the filter overshoots. */
const PRECISION = 22
const HALF = 1 << (PRECISION - 1)

/**
 * Resizes with Lanczos-3 exactly as Pillow does (libImaging/Resample.c): two passes, rows first, weights in 22-bit
 * fixed point, rounded to 8 bits after each pass. A pass that would not change the length is skipped. Written by hand
 * because no library for JavaScript gives Pillow's values: libvips, in sharp, is off by up to 141 of 255 when it
 * enlarges.
 */
export function resample(image: RawImage, size: Size): RawImage {
  const narrowed =
    size.width === image.width ? image : resampleRows(image, size.width, lanczosWindows(image.width, size.width))
  return size.height === image.height
    ? narrowed
    : resampleColumns(narrowed, size.height, lanczosWindows(image.height, size.height))
}

/** How many products of a weight and a byte `resample` has to compute, within a few per cent. */
export function multiplyAdds(from: Size, to: Size): number {
  const taps = (a: number, b: number) => (a === b ? 0 : 2 * LOBES * Math.max(a / b, 1))
  return 3 * to.width * (taps(from.width, to.width) * from.height + taps(from.height, to.height) * to.height)
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
      const weight = sum === 0 ? (raw[i] as number) : (raw[i] as number) / sum
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

// The loops in the two functions below take all the time. They index typed arrays directly and add several products in
// each turn: with a call for each pixel, or one product in each turn, they take about twice as long.

function resampleRows({ width, height, data }: RawImage, newWidth: number, windows: Windows): RawImage {
  const { starts, lengths, weights, taps } = windows
  const out = new Uint8ClampedArray(newWidth * height * 3)
  let target = 0
  for (let y = 0; y < height; y++) {
    const row = y * width * 3
    for (let x = 0; x < newWidth; x++) {
      let r = HALF
      let g = HALF
      let b = HALF
      let p = row + (starts[x] as number) * 3
      let i = x * taps
      const end = i + (lengths[x] as number)
      for (; i + 1 < end; i += 2, p += 6) {
        const v = weights[i] as number
        const w = weights[i + 1] as number
        r = (r + Math.imul(data[p] as number, v) + Math.imul(data[p + 3] as number, w)) | 0
        g = (g + Math.imul(data[p + 1] as number, v) + Math.imul(data[p + 4] as number, w)) | 0
        b = (b + Math.imul(data[p + 2] as number, v) + Math.imul(data[p + 5] as number, w)) | 0
      }
      if (i < end) {
        const w = weights[i] as number
        r = (r + Math.imul(data[p] as number, w)) | 0
        g = (g + Math.imul(data[p + 1] as number, w)) | 0
        b = (b + Math.imul(data[p + 2] as number, w)) | 0
      }
      out[target++] = r >> PRECISION
      out[target++] = g >> PRECISION
      out[target++] = b >> PRECISION
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
    const start = (starts[y] as number) * stride
    const length = lengths[y] as number
    // Adds up whole rows, so that memory is read in order; six at once, as many as a window has when it enlarges.
    let i = 0
    for (; i + 5 < length; i += 6) addSixRows(sums, data, start + i * stride, weights, y * taps + i)
    for (; i < length; i++) addRow(sums, data, start + i * stride, weights[y * taps + i] as number)
    const target = y * stride
    for (let x = 0; x < stride; x++) out[target + x] = (sums[x] as number) >> PRECISION
  }
  return { width, height: newHeight, data: new Uint8Array(out.buffer) }
}

function addRow(sums: Int32Array, data: Uint8Array, start: number, weight: number): void {
  for (let x = 0; x < sums.length; x++) sums[x] = (sums[x] as number) + Math.imul(data[start + x] as number, weight)
}

function addSixRows(sums: Int32Array, data: Uint8Array, start: number, weights: Int32Array, first: number): void {
  const stride = sums.length
  const a = weights[first] as number
  const b = weights[first + 1] as number
  const c = weights[first + 2] as number
  const d = weights[first + 3] as number
  const e = weights[first + 4] as number
  const f = weights[first + 5] as number
  for (let x = 0, p = start; x < stride; x++, p++)
    sums[x] =
      ((sums[x] as number) +
        Math.imul(data[p] as number, a) +
        Math.imul(data[p + stride] as number, b) +
        Math.imul(data[p + 2 * stride] as number, c) +
        Math.imul(data[p + 3 * stride] as number, d) +
        Math.imul(data[p + 4 * stride] as number, e) +
        Math.imul(data[p + 5 * stride] as number, f)) |
      0
}
