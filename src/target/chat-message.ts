import { targetPrompt } from '../contract/prompts.js'
import type { Picture } from '../image/picture.js'
import type { TargetRequest } from './target.js'

/** The pictures of a request in the contract's order: full, then crop. */
export function picturesOf({ full, crop }: Pick<TargetRequest, 'full' | 'crop'>): Picture[] {
  return [full, crop].filter(picture => picture !== null)
}

/** One user message of a chat completion: the pictures as base64 data URLs, then the contract's text. */
export function userMessage(request: Pick<TargetRequest, 'full' | 'crop' | 'question'>) {
  const images = picturesOf(request).map(picture => ({
    type: 'image_url' as const,
    image_url: { url: dataUrl(picture) },
  }))
  return {
    role: 'user' as const,
    content: [...images, { type: 'text' as const, text: targetPrompt(request.question) }],
  }
}

function dataUrl({ mediaType, bytes }: Picture): string {
  return `data:${mediaType};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`
}
