/** A part of a message that holds an image, in the three ways to write one. */
import { kindOf, memberOf, type Span, textOf } from '../json/scan.js'

/** By the part's `type`: chat completions', Responses', Anthropic's. */
export const IMAGE_TYPES = ['image_url', 'input_image', 'image'] as const
export type ImageType = (typeof IMAGE_TYPES)[number]

export interface ImagePart {
  readonly type: ImageType
  readonly span: Span
  /** The object that may have `detail`; null where the type has none. */
  readonly holder: Span | null
  /** The value of `detail`, as it is written. */
  readonly detail: Span | undefined
  readonly source: ImageSource
}

/** Where the image's bytes are: in a text of the body, behind a link, or elsewhere (a file kept by the upstream). */
export type ImageSource =
  | { readonly kind: 'data'; readonly text: Span }
  | { readonly kind: 'link'; readonly url: string }
  | { readonly kind: 'elsewhere' }

/** The image of a part of this type; null if the type is none of an image's. */
export function imagePartOf(json: Buffer, span: Span, type: string): ImagePart | null {
  switch (type) {
    case 'image_url':
    case 'input_image':
      return openAiImage(json, span, type)
    case 'image': {
      const source = memberOf(json, span, 'source')
      return { type, span, holder: null, detail: undefined, source: source ? anthropicSource(json, source) : ELSEWHERE }
    }
    default:
      return null
  }
}

const ELSEWHERE: ImageSource = { kind: 'elsewhere' }

/** Both take `image_url` as a string or as an object; `detail` stands beside the URL in an object, else beside `image_url`. */
function openAiImage(json: Buffer, span: Span, type: ImageType): ImagePart {
  const value = memberOf(json, span, 'image_url')
  const isObject = value !== undefined && kindOf(json, value) === 'object'
  const holder = isObject ? value : span
  const url = isObject ? memberOf(json, value, 'url') : value
  return {
    type,
    span,
    holder,
    detail: memberOf(json, holder, 'detail'),
    source: url ? urlSource(json, url) : ELSEWHERE,
  }
}

function anthropicSource(json: Buffer, source: Span): ImageSource {
  const data = memberOf(json, source, 'data')
  if (data && textOf(json, memberOf(json, source, 'type')) === 'base64') return { kind: 'data', text: data }
  const url = memberOf(json, source, 'url')
  return url ? urlSource(json, url) : ELSEWHERE
}

/** Only the head of the text is looked at: the rest may be megabytes. */
function urlSource(json: Buffer, text: Span): ImageSource {
  if (kindOf(json, text) !== 'text') return ELSEWHERE
  const head = json.toString('latin1', text.start + 1, Math.min(text.start + 17, text.end))
  if (/^\s*data:/i.test(head)) return { kind: 'data', text }
  const url = text.end - text.start < 16_384 ? (textOf(json, text) ?? '') : ''
  return /^\s*https?:\/\//i.test(url) ? { kind: 'link', url: url.trim() } : ELSEWHERE
}
