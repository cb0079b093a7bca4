import type { ImageLinks } from '../../../links/links.js'
import type { ImageReader } from '../../../proxy/crop/image-bytes.js'
import { readImageField } from '../../request/json-image.js'

/**
 * Reads the images of chat requests as those of `/crop` are read.
 * @param onFetched Is told of each fetch and the milliseconds that it took.
 */
export function imageReader(links: ImageLinks, onFetched: (ms: number) => void): ImageReader {
  return {
    read: readImageField,
    async fetch(url, patience) {
      const start = performance.now()
      const file = await links.fetch(url, patience)
      onFetched(performance.now() - start)
      return file
    },
  }
}
