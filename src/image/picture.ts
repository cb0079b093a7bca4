import type { Size } from '../contract/box.js'
import type { Wanted } from './fit.js'
import type { PixelGrid } from './grid.js'

export type PictureFormat = 'jpeg' | 'png' | 'webp'

/** An encoded picture. */
export interface Picture extends Size {
  /** `image/jpeg`, `image/png` or `image/webp`. */
  mediaType: string
  bytes: Uint8Array
}

/** The bytes of a picture in base64, without copying them first. */
export function base64Of({ bytes }: Picture): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** How large a picture is, and how it is encoded. */
export interface PictureOptions extends Wanted {
  format: PictureFormat
  /** 1..100; for PNG it is ignored. */
  quality: number
  /**
   * The sizes that the picture may have: its shape and size change a little to be one of them, and neither `enlarge` nor
   * `limits` counts. Default: any.
   */
  grid?: PixelGrid
  /** Whether the picture is padded to a square, itself in the middle. Default: false. */
  square?: boolean
}
