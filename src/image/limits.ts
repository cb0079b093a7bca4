/**
 * Which images are let in: the formats, the most pixels, the longest shape. Formats and sizes are read from the first
 * bytes of a file in plain JavaScript, without a library: the HTTP process never hands a stranger's bytes to a decoder,
 * but has to refuse a 49 KB file of 20000x20000 pixels before anything allocates them.
 */
import type { Size } from '../contract/box.js'
import { CropVlmError } from '../errors.js'

export type ImageKind = 'jpeg' | 'png' | 'webp'

export interface ImageLimits {
  /** Most pixels that an image may have, width times height. */
  maxPixels: number
  /** Longer edge over shorter edge, at most. */
  maxAspect: number
}

/** The format by content; the declared media type and the file's name are not looked at. */
export function sniffImage(bytes: Buffer): ImageKind | null {
  if (bytes.length >= 3 && bytes[0] === 0xff && bytes[1] === 0xd8) return 'jpeg'
  if (bytes.length >= 8 && bytes.readUInt32BE(0) === 0x89504e47 && bytes.readUInt32BE(4) === 0x0d0a1a0a) return 'png'
  if (bytes.length >= 12 && ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp'
  return null
}

/**
 * What the header says: width and height before EXIF orientation; `cut` where the file ends before it could say them, so
 * that no decoder can open it; `unknown` where only a decoder can tell.
 */
export type Header = Size | 'cut' | 'unknown'

export function readHeader(bytes: Buffer, kind: ImageKind): Header {
  const header = READERS[kind](bytes)
  return typeof header !== 'string' && (header.width === 0 || header.height === 0) ? 'unknown' : header
}

/**
 * Refuses a file by its first bytes, before anything is decoded. A header that cannot be read here is let through: the
 * engine has libvips read it, and checks the size with `checkSize`, before it decodes anything.
 * @throws CropVlmError unsupported_image_format, image_undecodable, image_too_large, image_aspect_too_extreme
 */
export function checkImage(bytes: Buffer, limits: ImageLimits): void {
  const kind = requireKnownFormat(bytes)
  const header = readHeader(bytes, kind)
  if (header === 'cut')
    throw new CropVlmError('image_undecodable', `The ${kind.toUpperCase()} file is cut short: it ends in its header.`, {
      param: 'image',
    })
  if (header !== 'unknown') checkSize(header, limits)
}

/** @throws CropVlmError unsupported_image_format */
export function requireKnownFormat(bytes: Buffer): ImageKind {
  const kind = sniffImage(bytes)
  if (kind) return kind
  throw new CropVlmError('unsupported_image_format', 'The image is not JPEG, PNG or WebP; convert it to one of them.', {
    param: 'image',
  })
}

/** @throws CropVlmError image_too_large, image_aspect_too_extreme */
export function checkSize({ width, height }: Size, { maxPixels, maxAspect }: ImageLimits): void {
  if (width * height > maxPixels)
    throw new CropVlmError(
      'image_too_large',
      `The image is ${width}x${height} pixels; at most ${maxPixels / 1e6} megapixels are accepted.`,
      { param: 'image' },
    )
  if (Math.max(width, height) > maxAspect * Math.min(width, height))
    throw new CropVlmError(
      'image_aspect_too_extreme',
      `The image is ${width}x${height} pixels; its longer edge may be at most ${maxAspect} times the shorter.`,
      { param: 'image' },
    )
}

const READERS: Record<ImageKind, (bytes: Buffer) => Header> = { jpeg: jpegHeader, png: pngHeader, webp: webpHeader }

function ascii(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end)
}

/** PNG specification, 11.2.1: IHDR comes first. */
function pngHeader(bytes: Buffer): Header {
  if (bytes.length < 24) return 'cut'
  if (ascii(bytes, 12, 16) !== 'IHDR') return 'unknown'
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
}

/** Most segments, and stretches of bytes between them, that are looked at: no camera writes a tenth of it. */
const MAX_SEGMENTS = 10_000

/**
 * ITU T.81, B.1.1.3: segments follow one another until a frame header (SOF0..15 but DHT, JPG and DAC). Cameras and phones
 * write other bytes between segments, which libjpeg goes over, up to the next 0xFF that a marker follows; so does this.
 */
function jpegHeader(bytes: Buffer): Header {
  let at = 2
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    at = bytes.indexOf(0xff, at)
    if (at < 0) return 'cut'
    // fill bytes
    while (bytes[at] === 0xff) at += 1
    const marker = bytes[at]
    if (marker === undefined) return 'cut'
    at += 1
    const standsAlone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)
    if (standsAlone) continue
    // pixels or the end came before any frame header
    if (marker === 0xda || marker === 0xd9) return 'unknown'
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (at + (isFrame ? 7 : 2) > bytes.length) return 'cut'
    if (isFrame) return { height: bytes.readUInt16BE(at + 3), width: bytes.readUInt16BE(at + 5) }
    at += bytes.readUInt16BE(at)
  }
  return 'unknown'
}

/** RFC 9649: the canvas of an extended file, else the lossy or lossless frame's own header. */
function webpHeader(bytes: Buffer): Header {
  const chunk = ascii(bytes, 12, 16)
  if (bytes.length < (chunk === 'VP8L' ? 25 : 30)) return 'cut'
  switch (chunk) {
    case 'VP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 }
    case 'VP8 ':
      if (bytes.readUIntBE(23, 3) !== 0x9d012a) return 'unknown'
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff }
    case 'VP8L': {
      if (bytes[20] !== 0x2f) return 'unknown'
      const bits = bytes.readUInt32LE(21)
      return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 }
    }
    default:
      return 'unknown'
  }
}
