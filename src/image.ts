import sharp from 'sharp'
import type { Size } from './box.js'
import { CropVlmError } from './errors.js'

/** A decoded picture: RGB, 8 bit, interleaved, row-major, upright (EXIF applied), alpha composited on white. */
export interface RawImage extends Size {
  /** `width * height * 3` bytes. */
  data: Uint8Array
}

export interface ImageLimits {
  /** Most pixels an image may have, by its header. */
  maxPixels: number
  /** Longest edge over shortest edge, at most. */
  maxAspect: number
}

// libvips recognises many formats by content. Only these three loaders may ever see a stranger's bytes; blocking
// "untrusted" operations alone would leave GIF, TIFF and AVIF open. This holds for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})
// Every image is new: a cache of operations would only hold memory.
sharp.cache(false)

/**
 * Decodes a JPEG, PNG or WebP (the first frame of an animation). ICC profiles are not applied (CropVLM contract).
 * Size and aspect are judged from the header, before a pixel is decoded.
 *
 * Throws `unsupported_image_format`, `image_too_large`, `image_aspect_too_extreme` or `image_undecodable`.
 */
export async function decodeImage(bytes: Uint8Array, limits: ImageLimits): Promise<RawImage> {
  if (!isAcceptedFormat(bytes))
    throw new CropVlmError('unsupported_image_format', 'The image is not a JPEG, PNG or WebP; send one of these.', {
      param: 'image',
    })
  checkLimits(await readSize(bytes), limits)
  const { data, info } = await decodable(() =>
    sharp(bytes, { ignoreIcc: true, failOn: 'error', limitInputPixels: false, autoOrient: true })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  )
  const { width, height, channels } = info
  return {
    width,
    height,
    data: channels === 1 ? greyToRgb(data) : new Uint8Array(data.buffer, data.byteOffset, data.length),
  }
}

/** The header's size, before EXIF orientation. */
async function readSize(bytes: Uint8Array): Promise<Size> {
  const { width, height } = await decodable(() => sharp(bytes, { limitInputPixels: false }).metadata())
  return { width, height }
}

function checkLimits({ width, height }: Size, { maxPixels, maxAspect }: ImageLimits): void {
  if (width * height > maxPixels)
    throw new CropVlmError(
      'image_too_large',
      `The image is ${width}x${height} pixels; at most ${maxPixels / 1e6} megapixels are accepted.`,
      { param: 'image' },
    )
  if (Math.max(width, height) > maxAspect * Math.min(width, height))
    throw new CropVlmError(
      'image_aspect_too_extreme',
      `The image is ${width}x${height} pixels; one edge may be at most ${maxAspect} times the other.`,
      { param: 'image' },
    )
}

/** Whatever the decoder says about a stranger's bytes means the same to us: its texts may be empty and change. */
async function decodable<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode()
  } catch (cause) {
    throw new CropVlmError('image_undecodable', 'The image cannot be decoded; it is damaged or cut short.', {
      param: 'image',
      cause,
    })
  }
}

const JPEG = [0xff, 0xd8, 0xff]
const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const RIFF = [0x52, 0x49, 0x46, 0x46]
const WEBP = [0x57, 0x45, 0x42, 0x50]

function isAcceptedFormat(bytes: Uint8Array): boolean {
  const has = (signature: readonly number[], at = 0) => signature.every((byte, i) => bytes[at + i] === byte)
  return has(JPEG) || has(PNG) || (has(RIFF) && has(WEBP, 8))
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3)
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i] ?? 0, i * 3, i * 3 + 3)
  return rgb
}
