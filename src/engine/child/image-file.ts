import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type ImageSource, openImage } from '../../image/decode.js'
import type { ImageLimits } from '../../image/limits.js'
import type { PromptImage } from '../../vlm/request.js'

/** Most bytes of decoded pixels that are kept: a photograph of 22 megapixels. A larger one is decoded once more. */
const MAX_BYTES = 64 * 1024 * 1024
/** How long they are kept for a job that may never come, in milliseconds. */
const KEPT_MS = 5000

/**
 * Image files as the jobs read them. A request is often two jobs, one that looks for the box and one that makes
 * pictures: the pixels that the first has decoded are kept for the second.
 */
export class ImageFiles {
  readonly #kept = new LRUCache<string, ImageSource>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ width, height }) => width * height * 3,
    ttl: KEPT_MS,
    ttlAutopurge: true,
  })

  /**
   * A file that is told from others by its hash, and opened once, if anybody asks for it.
   * @param keepPixels Whether a later job will want all pixels: they are decoded at once and kept for that job.
   */
  read(bytes: Uint8Array, limits: ImageLimits, keepPixels = false): PromptImage {
    const key = createHash('sha256').update(bytes).digest('base64')
    const open = async () => {
      const kept = this.#kept.get(key)
      if (kept) return kept
      const source = await openImage(bytes, limits)
      if (keepPixels) {
        await source.pixels()
        this.#kept.set(key, source)
      }
      return source
    }
    let opened: Promise<ImageSource> | null = null
    return {
      key,
      open() {
        opened ??= open()
        return opened
      },
    }
  }

  /** Lets go of what was kept of an image: the job that it was kept for is done. */
  release({ key }: PromptImage): void {
    if (key !== null) this.#kept.delete(key)
  }
}
