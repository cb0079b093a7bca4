import { LRUCache } from 'lru-cache'
import type { Size } from '../../contract/box.js'
import type { Grid } from '../idefics3/grid.js'
import type { ProcessedImage } from '../idefics3/image-processor.js'
import type { Features } from '../idefics3/vision-encoder.js'
import type { CachedPrefix } from './kv-cache.js'

/** What is known of an image at one resolution. Computed step by step, so that requests for the same image can share it. */
export interface KnownImage {
  readonly size: Size
  readonly grid: Grid
  /** Resized, waiting for the vision encoder; null once that has run. */
  processed: ProcessedImage | null
  /** Of its tiles; null until the vision encoder has run, and where `prefix` makes them needless. */
  features: Features | null
  /** Keys and values of the prompt up to the image's last token, where it is the first image; null until it was prefilled. */
  prefix: CachedPrefix | null
}

/**
 * The images that were asked about last, so that another question about one costs no vision and only its own prefill.
 * Bounded by the bytes held; the one not used for longest goes first.
 */
export class PrefixCache {
  private readonly images: LRUCache<string, KnownImage> | null

  /** @param maxBytes 0 keeps nothing. */
  constructor(maxBytes: number) {
    this.images = maxBytes === 0 ? null : new LRUCache({ maxSize: maxBytes, sizeCalculation: bytesOf })
  }

  get(key: string): KnownImage | undefined {
    return this.images?.get(key)
  }

  /** Keeps an image, unless it alone is larger than the cache. */
  set(key: string, image: KnownImage): void {
    this.images?.set(key, image)
  }

  get bytes(): number {
    return this.images?.calculatedSize ?? 0
  }
}

function bytesOf({ features, prefix }: KnownImage): number {
  const parts = [...(prefix?.parts.values() ?? []), ...(features ? [features.data] : [])]
  return Math.max(
    1,
    parts.reduce((sum, { byteLength }) => sum + byteLength, 0),
  )
}
