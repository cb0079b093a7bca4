/** What is put into a request for a crop: a text that says what it is of, and the crop, as parts of the image's own kind. */
import { base64Of, type Picture } from '../../image/picture.js'
import { type Edit, insert } from '../json/edit.js'
import { itemsOf, kindOf, type Span } from '../json/scan.js'
import type { Image, Turn } from './conversation.js'
import type { ImageType } from './image-part.js'

export interface CropStyle {
  /** Text before a crop, with `{image}` for the number of its image; null: none. */
  note: string | null
  /** `low-high`: an image whose crop stands behind it is sent `low`, the crop `high`. */
  detail: 'keep' | 'low-high'
}

export interface PlacedCrop {
  image: Image
  picture: Picture
}

/**
 * The edits that put crops into the turn whose question they are for: each directly behind its image; of an image of an
 * earlier turn at the end of the content, which becomes a list if it was a string.
 */
export function cropEdits(json: Buffer, turn: Turn, crops: readonly PlacedCrop[], style: CropStyle): Edit[] {
  const [own, earlier] = [true, false].map(isOwn =>
    crops.filter(({ image }) => (image.message === turn.message) === isOwn),
  ) as [PlacedCrop[], PlacedCrop[]]
  const behind = own.flatMap(crop => [
    insert(crop.image.span.end, partsText(json, crop, style)),
    ...(style.detail === 'low-high' ? detailEdit(json, crop.image, '"low"') : []),
  ])
  if (earlier.length === 0) return behind
  return [...behind, ...atEnd(json, turn.content, earlier.map(crop => partsText(json, crop, style)).join(''), earlier)]
}

function atEnd(json: Buffer, content: Span, parts: string, [first]: readonly PlacedCrop[]): Edit[] {
  if (kindOf(json, content) === 'list') {
    const last = itemsOf(json, content).at(-1)
    return [insert(last?.end ?? content.start + 1, last ? parts : parts.slice(1))]
  }
  const type = TEXT_TYPE[first?.image.type ?? 'image_url']
  return [insert(content.start, `[{"type":"${type}","text":`), insert(content.end, `}${parts}]`)]
}

/** The parts of one crop, each with a comma before it. */
function partsText(json: Buffer, crop: PlacedCrop, { note, detail }: CropStyle): string {
  const { type, number } = crop.image
  const text = note?.replaceAll('{image}', String(number))
  const noteText = text === undefined ? '' : `,${JSON.stringify({ type: TEXT_TYPE[type], text })}`
  return `${noteText},${pictureText(json, crop, detail)}`
}

const TEXT_TYPE: Readonly<Record<ImageType, string>> = {
  image_url: 'text',
  input_image: 'input_text',
  image: 'text',
}

function pictureText(json: Buffer, { image, picture }: PlacedCrop, style: CropStyle['detail']): string {
  const data = base64Of(picture)
  const own = image.detail && json.toString('utf8', image.detail.start, image.detail.end)
  const detail = style === 'low-high' ? '"high"' : own
  const also = detail === undefined ? '' : `,"detail":${detail}`
  switch (image.type) {
    case 'image_url':
      return `{"type":"image_url","image_url":{"url":"data:${picture.mediaType};base64,${data}"${also}}}`
    case 'input_image':
      return `{"type":"input_image","image_url":"data:${picture.mediaType};base64,${data}"${also}}`
    case 'image':
      return `{"type":"image","source":{"type":"base64","media_type":"${picture.mediaType}","data":"${data}"}}`
  }
}

/** Sets the image's own detail. An `image_url` that is a string, where an object belongs, has no place for it. */
function detailEdit(json: Buffer, { type, holder, detail, span }: Image, value: string): Edit[] {
  if (detail) return [{ ...detail, text: value }]
  if (!holder || (type === 'image_url' && holder === span)) return []
  const isEmpty = json[holder.end - 2] === 0x7b
  return [insert(holder.end - 1, `${isEmpty ? '' : ','}"detail":${value}`)]
}
