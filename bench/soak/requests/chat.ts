/** Requests under `/v1`, which the service hands on to a target, and `/zoom`. */
import { ANSWER } from '../target/replies.js'
import { dataUrl, json, type Kind, type Prepared, QUESTIONS, type World } from './kind.js'
import { oneOf } from './pictures.js'
import type { Reply } from './send.js'

/** The reply is the target's, so a full queue or a dead engine costs the crop alone. */
const OK = { statuses: [200] }
/** What the shaky target says, and what the service says where it says nothing. */
const SHAKY = { statuses: [200, 429, 500, 502, 503, 504], forwarded: true }

/** A chat completion request; the picture is a known one, as a file that the service may know or not. */
function chat({ pictures, random }: World, model: string, { image = true, stream = false } = {}): Prepared {
  const picture = random() < 0.5 ? oneOf(pictures.known, random) : pictures.renamed()
  const content = [
    { type: 'text', text: oneOf(QUESTIONS, random) },
    ...(image ? [{ type: 'image_url', image_url: { url: dataUrl(picture) } }] : []),
  ]
  return json('/v1/chat/completions', { model, stream, messages: [{ role: 'user', content }] })
}

const saysAnswer = (reply: Reply) => (reply.body.includes(ANSWER) ? null : 'the answer of the target is not there')
const isStreamed = (reply: Reply) =>
  saysAnswer(reply) ?? (reply.body.includes('[DONE]') ? null : 'the stream has no end')

export const CHAT: readonly Kind[] = [
  {
    name: 'v1 chat, text',
    weight: 6,
    expect: OK,
    prepare: world => ({ ...chat(world, 'steady', { image: false }), check: saysAnswer }),
  },
  {
    name: 'v1 chat, image',
    weight: 4,
    expect: OK,
    prepare: world => ({ ...chat(world, 'steady'), check: saysAnswer }),
  },
  {
    name: 'v1 chat, image, streamed',
    weight: 4,
    expect: OK,
    prepare: world => ({ ...chat(world, 'steady', { stream: true }), check: isStreamed }),
  },
  { name: 'v1 chat, shaky target', weight: 5, expect: SHAKY, prepare: world => chat(world, 'shaky') },
  {
    name: 'v1 chat, shaky target, streamed',
    weight: 5,
    expect: SHAKY,
    prepare: world => chat(world, 'shaky', { stream: true }),
  },
  {
    name: 'v1 chat, local target',
    weight: 1,
    expect: { statuses: [200], engine: true },
    prepare: world => chat(world, 'local'),
  },
  {
    name: 'v1 responses',
    weight: 2,
    expect: OK,
    prepare: ({ pictures }) => {
      const content = [
        { type: 'input_text', text: QUESTIONS[0] },
        { type: 'input_image', image_url: dataUrl(pictures.renamed()) },
      ]
      return { ...json('/v1/responses', { model: 'steady', input: [{ role: 'user', content }] }), check: saysAnswer }
    },
  },
  {
    name: 'v1 messages',
    weight: 2,
    expect: OK,
    prepare: ({ pictures }) => {
      const source = { type: 'base64', media_type: 'image/jpeg', data: pictures.renamed().toString('base64') }
      const content = [
        { type: 'image', source },
        { type: 'text', text: QUESTIONS[0] },
      ]
      const body = { model: 'steady', max_tokens: 16, messages: [{ role: 'user', content }] }
      return { ...json('/v1/messages', body), check: saysAnswer }
    },
  },
  {
    name: 'v1 models',
    weight: 1,
    expect: OK,
    prepare: () => ({ method: 'GET', path: '/v1/models' }),
  },
  {
    name: 'zoom',
    weight: 2,
    expect: OK,
    prepare: world => ({ ...chat(world, 'steady'), path: '/zoom' }),
  },
]
