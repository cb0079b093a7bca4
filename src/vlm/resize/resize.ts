import type { Size } from '../../contract/box.js'
import { type ImageSource, type RawImage, rawSource } from '../../image/decode.js'
import { multiplyAdds, resample } from '../../image/pillow.js'

/**
 * The most products (see `multiplyAdds`) for which our own filter is taken, about 8 ms of one core: 600x600 to 96x96.
 */
const CHEAP = 8e6
/** The most products that libvips leaves to our own filter: about 2 ms. */
const REST = 2e6

/**
 * Resizes with Lanczos-3. The result is exactly Pillow's if width or height grows, where libvips differs much, or if
 * our own filter is cheap. Otherwise libvips, which is many times faster, shrinks the image first, and our own filter
 * does the rest if that is cheap. Pages and photographs then differ from Pillow's by a mean of at most 0.5 of 255
 * (`resize.test.ts`); fine patterns of full contrast are the worst, with 0.6, because libvips' weights have few bits
 * (`image-processor.test.ts`).
 * @throws CropVlmError image_undecodable, from a source that is decoded only now
 */
export async function scale(source: ImageSource, size: Size): Promise<RawImage> {
  const grows = size.width > source.width || size.height > source.height
  if (grows || multiplyAdds(source, size) <= CHEAP) return resample(await source.pixels(), size)
  const left = factorLeft(source, size)
  if (left === 1) return source.shrunk(size)
  const between = {
    width: Math.min(Math.floor(left * size.width), source.width),
    height: Math.min(Math.floor(left * size.height), source.height),
  }
  return scale(rawSource(await source.shrunk(between)), size)
}

/** To how many times the final size libvips shrinks; 1: it does everything. */
function factorLeft(source: Size, { width, height }: Size): number {
  // from k times the size there are 18 * width * height * (k * k + k) products: solved for k
  const cheap = Math.sqrt(REST / (18 * width * height) + 0.25) - 0.5
  if (cheap >= 2) return cheap
  // From a factor of four on, libvips averages blocks of pixels before it filters, down to two to three times the size
  // asked for. That takes 10 % off the contrast of the finest detail. Asked for twice the final size it takes less than
  // 3 %, and the last halving is filtered only.
  return source.width >= 4 * width || source.height >= 4 * height ? 2 : 1
}
