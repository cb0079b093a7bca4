import type { Size } from '../contract/box.js'

export type PictureFormat = 'jpeg' | 'png' | 'webp'

/** An encoded picture. */
export interface Picture extends Size {
  /** `image/jpeg`, `image/png` or `image/webp`. */
  mediaType: string
  bytes: Uint8Array
}

/** How a picture is encoded. */
export interface PictureOptions {
  format: PictureFormat
  /** 1..100; for PNG it is ignored. */
  quality: number
  /** Longest edge in pixels to which the picture is shrunk; null keeps the size. Never enlarges. */
  longestEdge: number | null
}
