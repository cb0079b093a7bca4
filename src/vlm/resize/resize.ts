import type { Size } from '../../contract/box.js'
import { type ImageSource, type RawImage, rawSource } from '../../image/decode.js'
import { multiplyAdds, resample } from './pillow.js'

/** Products (`multiplyAdds`) that our own filter may take, about 8 ms of one core: 600x600 to 96x96, say. */
const CHEAP = 8e6
/** The same for what is left to it behind libvips: about 2 ms. */
const REST = 2e6

/**
 * Resizes with Lanczos-3: exactly as Pillow where one direction grows, since libvips is no match there, and where that
 * is cheap; else libvips, many times faster, shrinks at least to where the rest is cheap. Pages and photographs are so
 * within a mean of 0.5 of 255 of Pillow's (`test/vlm/scale.test.ts`); fine patterns of full contrast come out worst, at
 * 0.6, as libvips' weights have few bits (`test/vlm/processor.test.ts`).
 *
 * Throws `image_undecodable`.
 */
export async function scale(source: ImageSource, size: Size): Promise<RawImage> {
  const grows = size.width > source.width || size.height > source.height
  if (grows || multiplyAdds(source, size) <= CHEAP) return resample(await source.pixels(), size)
  const left = factorLeft(source, size)
  if (left === 1) return source.shrunk(size)
  const way = {
    width: Math.min(Math.floor(left * size.width), source.width),
    height: Math.min(Math.floor(left * size.height), source.height),
  }
  return scale(rawSource(await source.shrunk(way)), size)
}

/** How many times the size libvips stops at first. */
function factorLeft(source: Size, { width, height }: Size): number {
  // `multiplyAdds` from k times the size is 18 * width * height * (k * k + k)
  const cheap = Math.sqrt(REST / (18 * width * height) + 0.25) - 0.5
  if (cheap >= 2) return cheap
  // Before its Lanczos libvips averages whole pixels, down to between two and three times the size, from a factor of
  // four on. That takes 10 % off the finest detail that is kept; at twice the size it takes less than 3 %, and the last
  // halving is a Lanczos alone.
  return source.width >= 4 * width || source.height >= 4 * height ? 2 : 1
}
