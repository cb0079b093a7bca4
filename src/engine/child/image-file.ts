import { createHash } from 'node:crypto'
import { type ImageLimits, type ImageSource, openImage } from '../../image/decode.js'
import type { PromptImage } from '../../vlm/request.js'

/**
 * An image file: told from others by its hash, and opened once, if anybody asks for it.
 * @param isWholeWanted Whether all its pixels will be asked for, so that decoding it to a smaller size is no gain.
 */
export function promptImage(bytes: Uint8Array, limits: ImageLimits, isWholeWanted: boolean): PromptImage {
  const open = async () => {
    const source = await openImage(bytes, limits)
    if (isWholeWanted) await source.pixels()
    return source
  }
  let opened: Promise<ImageSource> | null = null
  return {
    key: createHash('sha256').update(bytes).digest('base64'),
    open() {
      opened ??= open()
      return opened
    },
  }
}
