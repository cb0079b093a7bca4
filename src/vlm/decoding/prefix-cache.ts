import { LRUCache } from 'lru-cache'
import type { Size } from '../../contract/box.js'
import type { Features, Grid, ProcessedImage } from '../family.js'
import type { CachedPrefix } from './kv-cache.js'

/**
 * What has been computed of an image at one resolution. It is filled in step by step while a request is answered, and
 * all requests for the same image share it.
 */
export interface ImageState {
  /** Of the upright image, in pixels. */
  readonly size: Size
  readonly grid: Grid
  /** The resized image, until the vision encoder has run; null after that. */
  processed: ProcessedImage | null
  /** The vision encoder's output. null before the encoder has run, and where `prefix` is kept instead. */
  features: Features | null
  /**
   * Keys and values of the prompt up to and including the image's last token. They are the same for every question if
   * the image comes first in the prompt. null before the prompt was prefilled, and with a decoder that cannot reuse
   * them.
   */
  prefix: CachedPrefix | null
}

/**
 * Remembers the images that were asked about last. Another question about one of them needs no run of the vision
 * encoder, and prefills only its own text. The cache is bounded by the bytes that it holds; the image that was not used
 * for the longest time is dropped first.
 */
export class PrefixCache {
  private readonly images: LRUCache<string, ImageState> | null

  /** @param maxBytes 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.images = maxBytes === 0 ? null : new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf })
  }

  get(key: string): ImageState | undefined {
    return this.images?.get(key)
  }

  /** Keeps an image, unless it alone is larger than the cache. */
  set(key: string, image: ImageState): void {
    this.images?.set(key, image)
  }
}

function bytesOf({ features, prefix }: ImageState): number {
  const parts = [...(prefix?.parts.values() ?? []), ...(features ? [features.data] : [])]
  return Math.max(
    1,
    parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
  )
}
