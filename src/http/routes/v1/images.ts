import { CropVlmError } from '../../../errors.js'
import type { ImageLinks } from '../../../links/links.js'
import type { ImageReader } from '../../../proxy/crop/find-crop.js'
import { readImageField } from '../../request/json-image.js'

/** Reads the images of chat requests as those of `/crop` are read. A link that is not allowed is no failure there. */
export function imageReader(links: ImageLinks): ImageReader {
  return {
    read: readImageField,
    fetch: (url, patience) =>
      links.fetch(url, patience).catch(error => {
        if (CropVlmError.from(error).code === 'url_not_allowed') return null
        throw error
      }),
  }
}
