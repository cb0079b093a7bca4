import sharp, { type Sharp } from 'sharp'
import type { Size } from '../contract/box.js'
import { CropVlmError } from '../errors.js'
import { cmykToRgb } from './cmyk.js'
import { checkSize, type ImageLimits, requireKnownFormat } from './limits.js'

/** A decoded picture: RGB, 8 bit, interleaved, row-major, upright (EXIF applied), alpha composited on white. */
export interface RawImage extends Size {
  /** `width * height * 3` bytes. */
  data: Uint8Array
}

// libvips recognises many formats by content. Only these three loaders may ever see a stranger's bytes; blocking
// "untrusted" operations alone would leave GIF, TIFF and AVIF open. This holds for the whole process.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})
// No image is decoded twice by the same operations, so libvips' cache of operations would only take memory.
sharp.cache(false)

/** An image, decoded only when it is needed. `width` and `height` are those of the upright image, in pixels. */
export interface ImageSource extends Size {
  /** All pixels, decoded at the first call and kept. @throws CropVlmError image_undecodable, engine_unavailable */
  pixels(): Promise<RawImage>
  /**
   * The image made smaller in both directions, by libvips' Lanczos-3. A file is made smaller while it is decoded, so that
   * it is never in memory at full size. The values are the same whether or not `pixels` was called before.
   * @throws CropVlmError image_undecodable, engine_unavailable
   */
  shrunk(size: Size): Promise<RawImage>
}

/**
 * Reads the header of a JPEG, PNG or WebP file and checks the size that it states. Of an animation the first frame is
 * taken. ICC profiles are not applied (CropVLM contract).
 * @throws CropVlmError unsupported_image_format, image_too_large, image_aspect_too_extreme, image_undecodable
 */
export async function openImage(bytes: Uint8Array, limits: ImageLimits): Promise<ImageSource> {
  requireKnownFormat(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  const header = await decodable(() => sharp(bytes, { limitInputPixels: false }).metadata())
  checkSize(header, limits)
  return new FileSource(bytes, header.autoOrient, header.depth === 'uchar', header.space === 'cmyk')
}

/** A decoded image as a source. */
export function rawSource(image: RawImage): ImageSource {
  const { width, height } = image
  return { width, height, pixels: async () => image, shrunk: size => shrinkPixels(image, size) }
}

/** Decoded pixels as the input of a sharp pipeline. Their size is not checked again. */
export function fromPixels({ data, width, height }: RawImage): Sharp {
  return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false })
}

class FileSource implements ImageSource {
  readonly width: number
  readonly height: number
  private decoded: Promise<RawImage> | null = null

  constructor(
    private readonly bytes: Uint8Array,
    { width, height }: Size,
    private readonly isEightBit: boolean,
    private readonly isCmyk: boolean,
  ) {
    this.width = width
    this.height = height
  }

  pixels(): Promise<RawImage> {
    this.decoded ??= decodable(() => (this.isCmyk ? this.fromInks() : toRaw(this.upright())))
    return this.decoded
  }

  async shrunk(size: Size): Promise<RawImage> {
    // libvips would filter all 16 bits, or the inks, and the values would differ from those of `pixels`: 8 bits of colour
    if (this.decoded || !this.isEightBit || this.isCmyk) return shrinkPixels(await this.pixels(), size)
    // From a factor of 4 on, sharp has the JPEG and WebP decoders scale the image, even with `fastShrinkOnLoad: false`
    // (sharp 0.35). The result is several times further from Pillow's than libvips' filter alone. An `extract` of the
    // whole image prevents it.
    const { width, height } = this
    return decodable(() => toRaw(shrink(this.upright().extract({ left: 0, top: 0, width, height }), size)))
  }

  private upright(): Sharp {
    return this.file().flatten({ background: '#ffffff' }).toColourspace('srgb')
  }

  private async fromInks(): Promise<RawImage> {
    const { data, ...size } = await toRaw(this.file().pipelineColourspace('cmyk').toColourspace('cmyk'))
    return { ...size, data: cmykToRgb(data) }
  }

  private file(): Sharp {
    return sharp(this.bytes, { ignoreIcc: true, failOn: 'error', limitInputPixels: false, autoOrient: true })
  }
}

function shrinkPixels(image: RawImage, size: Size): Promise<RawImage> {
  return toRaw(shrink(fromPixels(image), size))
}

function shrink(picture: Sharp, { width, height }: Size): Sharp {
  return picture.resize({ width, height, fit: 'fill', kernel: 'lanczos3', fastShrinkOnLoad: false })
}

async function toRaw(picture: Sharp): Promise<RawImage> {
  const { data, info } = await picture.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  return {
    width,
    height,
    data: channels === 1 ? greyToRgb(data) : new Uint8Array(data.buffer, data.byteOffset, data.length),
  }
}

/**
 * Turns every error of the decoder into one code, but for a lack of memory, which is no fault of the image. The decoder's own
 * texts may be empty, and they change.
 */
async function decodable<T>(decode: () => Promise<T>): Promise<T> {
  try {
    return await decode()
  } catch (cause) {
    // as libvips 8.18 writes it
    if (cause instanceof Error && cause.message.includes('out of memory'))
      throw new CropVlmError(
        'engine_unavailable',
        'There is not enough memory to decode the image now. Try again, send a smaller one, or give the service more memory.',
        { cause },
      )
    throw new CropVlmError('image_undecodable', 'The image cannot be decoded; it is damaged or cut short.', {
      param: 'image',
      cause,
    })
  }
}

function greyToRgb(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3)
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i] ?? 0, i * 3, i * 3 + 3)
  return rgb
}
