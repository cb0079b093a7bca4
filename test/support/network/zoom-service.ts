/** What the adapters are tested against: the service's own `POST /zoom`, behind a server that records, and fails on demand. */
import type { Test } from 'tap'
import { CROP_URL, NOTE, PAGE_URL, proxied } from '../fakes/proxy.js'
import { type Received, type Reply, upstream } from '../fakes/upstream.js'

/** What the service puts behind the picture. */
const CROP = [
  { type: 'text', text: NOTE },
  { type: 'image_url', image_url: { url: CROP_URL, detail: 'high' } },
]

/** A chat about a picture. */
export const chat = (question = 'What is the total?') => ({
  model: 'vlm',
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: question },
        { type: 'image_url', image_url: { url: PAGE_URL, detail: 'high' } },
      ],
    },
  ],
})

/** The messages of a request as its model gets them. */
export type Messages = { role: string; content: unknown }[]

export interface ZoomService {
  url: string
  received: Received[]
  /** What `/zoom` replies from now on in the service's place; undefined: the service again. */
  fail: (reply: Reply | undefined) => void
  close: () => Promise<void>
}

/** @param apiKey The service's; null: it asks for none. */
export async function startZoom(t: Test, apiKey: string | null = null): Promise<ZoomService> {
  const service = await proxied(t, apiKey === null ? {} : { API_KEY: apiKey })
  const zoomed: Reply = async (response, { url, headers, body }) => {
    const { authorization, 'x-cropvlm-zoom': zoom } = headers
    const given = { ...(authorization && { authorization }), ...(zoom && { 'x-cropvlm-zoom': String(zoom) }) }
    const reply = await service.post(url, body, given)
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(await reply.text())
  }
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

/** The messages of a chat with the crop. */
export function withCrop({ messages }: ReturnType<typeof chat> = chat()): Messages {
  return messages.map(({ role, content }) => ({
    role,
    content: Array.isArray(content) ? [...content, ...CROP] : content,
  }))
}
