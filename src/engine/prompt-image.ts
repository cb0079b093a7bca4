import { createHash } from 'node:crypto'
import { decodeImage, type ImageLimits, type RawImage } from '../image.js'
import type { PromptImage } from '../vlm/request.js'

/** An image file: told from others by its hash, decoded once, and only if somebody asks for its pixels. */
export function promptImage(bytes: Uint8Array, limits: ImageLimits): PromptImage {
  let decoding: Promise<RawImage> | null = null
  return {
    key: createHash('sha256').update(bytes).digest('base64'),
    pixels() {
      decoding ??= decodeImage(bytes, limits)
      return decoding
    },
  }
}
