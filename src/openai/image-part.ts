import { base64Of, type Picture } from '../image/picture.js'

/** A picture as a part of a chat message's content. */
export interface ImagePart {
  type: 'image_url'
  /** `url` is a base64 data URL. */
  image_url: { url: string }
}

export function imagePart(picture: Picture): ImagePart {
  return { type: 'image_url', image_url: { url: `data:${picture.mediaType};base64,${base64Of(picture)}` } }
}
