import type { ImageLinks } from '../../../links/links.js'
import type { ImageReader } from '../../../proxy/crop/image-bytes.js'
import { readImageField } from '../../request/json-image.js'

/** Reads the images of chat requests as those of `/crop` are read. */
export function imageReader(links: ImageLinks): ImageReader {
  return { read: readImageField, fetch: (url, patience) => links.fetch(url, patience) }
}
