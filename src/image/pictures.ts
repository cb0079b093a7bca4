/** Pictures of decoded images: a region cut from the original pixels, the whole, and the whole with a box drawn. */
import type { Sharp } from 'sharp'
import type { PixelBox, Size } from '../contract/box.js'
import { fromPixels, type RawImage } from './decode.js'
import { fitSize } from './fit.js'
import { gridSize } from './grid.js'
import type { Picture, PictureFormat, PictureOptions } from './picture.js'
import { resample } from './pillow.js'

/**
 * One region, cut from the original pixels.
 * @param pixelBox `[left, top, right, bottom]` in pixels of `image`.
 * @param compress Whether a PNG is compressed: of 12 megapixels that takes seconds, storing them tenths.
 */
export async function regionPicture(
  image: RawImage,
  pixelBox: PixelBox,
  options: PictureOptions,
  compress = true,
): Promise<Picture> {
  const [left, top, right, bottom] = pixelBox
  const size = { width: right - left, height: bottom - top }
  return encode(await fit(fromPixels(image).extract({ left, top, ...size }), size, options), options, compress)
}

/** The whole image; parameters as of `regionPicture`. */
export async function wholePicture(image: RawImage, options: PictureOptions, compress = true): Promise<Picture> {
  return encode(await fit(fromPixels(image), image, options), options, compress)
}

/**
 * The whole image with the box drawn on it: a red line between two white ones, which shows on any background.
 * Parameters as of `regionPicture`.
 */
export async function overlayPicture(
  image: RawImage,
  pixelBox: PixelBox,
  options: PictureOptions,
  compress = true,
): Promise<Picture> {
  // drawn after shrinking, so that the line has the same width relative to the picture whatever its size
  const canvas = await pixelsOf(await fit(fromPixels(image), image, options))
  drawBox(canvas, scaleBox(pixelBox, image, canvas))
  return encode(fromPixels(canvas), options, compress)
}

/** The most pixels that a format can hold in one direction. A longer picture is shrunk to that. */
const FORMAT_LIMIT: Record<PictureFormat, number> = { jpeg: 65_500, png: 1_000_000, webp: 16_383 }

/** The mean colour of CLIP's training images, with which LLaVA and its descendants pad. */
const PADDING = { r: 122, g: 116, b: 104 }

async function fit(picture: Sharp, size: Size, options: PictureOptions): Promise<Sharp> {
  const { longestEdge, format, grid, square } = options
  const limit = FORMAT_LIMIT[format]
  const edge =
    longestEdge === null && Math.max(size.width, size.height) <= limit ? null : Math.min(longestEdge ?? limit, limit)
  const { size: target, padding } = grid
    ? { size: gridSize(size, grid, edge), padding: null }
    : fitSize(size, { ...options, longestEdge: edge })
  const resized = await resize(picture, size, target)
  if (square) return padToSquare(resized, target)
  const isPadded = padding !== null && Object.values(padding).some(pixels => pixels > 0)
  return isPadded ? resized.extend({ ...padding, extendWith: 'copy' }) : resized
}

/** Lanczos both ways: libvips shrinks with it, but enlarges by bicubic interpolation whatever the kernel. */
async function resize(picture: Sharp, from: Size, to: Size): Promise<Sharp> {
  if (to.width === from.width && to.height === from.height) return picture
  if (to.width < from.width || to.height < from.height)
    return picture.resize({ ...to, fit: 'fill', kernel: 'lanczos3' })
  return fromPixels(resample(await pixelsOf(picture), to))
}

async function pixelsOf(picture: Sharp): Promise<RawImage> {
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}

function padToSquare(picture: Sharp, { width, height }: Size): Sharp {
  const [x, y] = [Math.max(0, height - width), Math.max(0, width - height)]
  const [left, top] = [Math.floor(x / 2), Math.floor(y / 2)]
  return picture.extend({ left, top, right: x - left, bottom: y - top, background: PADDING })
}

async function encode(picture: Sharp, { format, quality }: PictureOptions, compress: boolean): Promise<Picture> {
  const encoded = {
    // colour at full resolution, so that small coloured letters stay readable
    jpeg: () => picture.jpeg({ quality, chromaSubsampling: '4:4:4' }),
    png: () => picture.png({ compressionLevel: compress ? 6 : 0 }),
    webp: () => picture.webp({ quality }),
  }[format]()
  const { data, info } = await encoded.toBuffer({ resolveWithObject: true })
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length)
  return { mediaType: `image/${format}`, width: info.width, height: info.height, bytes }
}

function scaleBox([x1, y1, x2, y2]: PixelBox, from: Size, to: Size): PixelBox {
  const [x, y] = [to.width / from.width, to.height / from.height]
  return [Math.floor(x1 * x), Math.floor(y1 * y), Math.ceil(x2 * x), Math.ceil(y2 * y)]
}

type Colour = readonly [red: number, green: number, blue: number]
const WHITE: Colour = [255, 255, 255]
const RED: Colour = [230, 0, 40]

/** Draws the line around the region, so that it hides none of it; at the image's edge, just inside the region. */
function drawBox(canvas: RawImage, [x1, y1, x2, y2]: PixelBox): void {
  const line = Math.max(2, Math.round(Math.max(canvas.width, canvas.height) / 250))
  const casing = Math.max(1, Math.round(line / 3))
  const width = line + 2 * casing
  const outer: PixelBox = [
    Math.max(0, x1 - width),
    Math.max(0, y1 - width),
    Math.min(canvas.width, x2 + width),
    Math.min(canvas.height, y2 + width),
  ]
  fillRing(canvas, outer, width, WHITE)
  fillRing(canvas, inset(outer, casing), line, RED)
}

function inset([x1, y1, x2, y2]: PixelBox, by: number): PixelBox {
  return [x1 + by, y1 + by, x2 - by, y2 - by]
}

function fillRing(canvas: RawImage, [x1, y1, x2, y2]: PixelBox, width: number, colour: Colour): void {
  fillRectangle(canvas, [x1, y1, x2, y1 + width], colour)
  fillRectangle(canvas, [x1, y2 - width, x2, y2], colour)
  fillRectangle(canvas, [x1, y1, x1 + width, y2], colour)
  fillRectangle(canvas, [x2 - width, y1, x2, y2], colour)
}

function fillRectangle({ data, width, height }: RawImage, [x1, y1, x2, y2]: PixelBox, colour: Colour): void {
  for (let y = Math.max(0, y1); y < Math.min(height, y2); y++)
    for (let x = Math.max(0, x1); x < Math.min(width, x2); x++) data.set(colour, (y * width + x) * 3)
}
