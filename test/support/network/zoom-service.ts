/** What the adapters are tested against: `POST /zoom` as it is described, which says which crop is in which request. */
import type { Test } from 'tap'
import { json, type Received, type Reply, upstream } from '../fakes/upstream.js'

export const PICTURE = 'data:image/png;base64,iVBORw0KGgo='
export const CROP = { type: 'image_url', image_url: { url: 'data:image/png;base64,Q1JPUA==' } }

/** A chat about a picture. */
export const chat = (question = 'What is the total?') => ({
  model: 'vlm',
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: question },
        { type: 'image_url', image_url: { url: PICTURE, detail: 'high' } },
      ],
    },
  ],
})

/** The messages of a request as its model gets them. */
export type Messages = { role: string; content: unknown }[]

/** The request that was received, with a crop behind its picture. */
const zoomed: Reply = (response, received, socket) => {
  const body = structuredClone(received.body)
  for (const { content } of body.messages ?? []) if (Array.isArray(content)) content.push(CROP)
  json(200, body, { 'x-cropvlm-decision': 'zoomed' })(response, received, socket)
}

export interface ZoomService {
  url: string
  received: Received[]
  /** What `/zoom` replies from now on in the place of a crop; undefined: crops again. */
  fail: (reply: Reply | undefined) => void
  close: () => Promise<void>
}

export async function startZoom(t: Test): Promise<ZoomService> {
  let answer = zoomed
  const { baseUrl, received, close } = await upstream(t, (...one) => answer(...one))
  return {
    url: baseUrl.replace(/\/v1$/, ''),
    received,
    fail: reply => {
      answer = reply ?? zoomed
    },
    close,
  }
}

/** The messages of `chat()` with the crop. */
export function withCrop({ messages }: ReturnType<typeof chat> = chat()): Messages {
  return messages.map(({ role, content }) => ({ role, content: Array.isArray(content) ? [...content, CROP] : content }))
}
