import { targetPrompt } from '../contract/prompts.js'
import type { Picture } from '../image/picture.js'
import { imagePart } from '../openai/image-part.js'
import type { Profile } from './profiles.js'
import type { TargetRequest } from './target.js'

/** The pictures of a request in the contract's order: full, then crop. */
export function picturesOf({ full, crop }: Pick<TargetRequest, 'full' | 'crop'>): Picture[] {
  return [full, crop].filter(picture => picture !== null)
}

/** The messages of a chat completion: the system's, where there is one, then the pictures as base64 data URLs and the text. */
export function chatMessages(
  request: Pick<TargetRequest, 'full' | 'crop' | 'question'>,
  { prompt, system }: Pick<Profile, 'prompt' | 'system'>,
): unknown[] {
  const content = [...picturesOf(request).map(imagePart), { type: 'text', text: promptText(prompt, request.question) }]
  const user = { role: 'user', content }
  return system === null ? [user] : [{ role: 'system', content: system }, user]
}

/** The question as it was sent, in the target's template; in the contract's text, which changes its case, without one. */
function promptText(template: string | null, question: string): string {
  return template === null ? targetPrompt(question) : template.replaceAll('{question}', () => question)
}
