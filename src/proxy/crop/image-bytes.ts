/** The file of an image that a chat request holds or names. */
import type { Patience } from '../../engine/engine.js'
import type { ImageSource } from '../chat/image-part.js'
import { textOf } from '../json/scan.js'

/** Gives the bytes of images that a body only writes or names. */
export interface ImageReader {
  /** @param text A data URL or base64. @throws CropVlmError invalid_base64, missing_field */
  read(text: string): Buffer
  /** Fetches a link. @returns null where that is not allowed, as the error url_not_allowed: the image is then left alone */
  fetch(url: string, patience: Patience): Promise<Buffer | null>
}

/** A reader for one request, which fetches each link once, however many questions are about it. */
export function fetchingOnce(images: ImageReader): ImageReader {
  const fetched = new Map<string, Promise<Buffer | null>>()
  return {
    read: images.read,
    fetch(url, patience) {
      const known = fetched.get(url)
      if (known) return known
      const flight = images.fetch(url, patience)
      fetched.set(url, flight)
      // one who waits longer may try again
      flight.catch(() => fetched.delete(url))
      return flight
    },
  }
}

/**
 * @param json The body that the image is in.
 * @returns null where the bytes cannot be had: behind a link that is not allowed, or in a file that the upstream keeps
 * @throws CropVlmError what the reader throws
 */
export async function imageBytes(
  images: ImageReader,
  json: Buffer,
  source: ImageSource,
  patience: Patience,
): Promise<Buffer | null> {
  switch (source.kind) {
    case 'data':
      return images.read(textOf(json, source.text) ?? '')
    case 'link':
      return await images.fetch(source.url, patience)
    case 'elsewhere':
      return null
  }
}
