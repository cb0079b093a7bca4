import type { Picture } from '../image/picture.js'

/** A picture as a part of a chat message's content: a base64 data URL. */
export function imagePart({ mediaType, bytes }: Picture) {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return { type: 'image_url' as const, image_url: { url: `data:${mediaType};base64,${data}` } }
}
