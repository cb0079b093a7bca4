/** One URL with the bundled models: the official client reads the fine print, where the target alone does not. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import OpenAI from 'openai'
import t from 'tap'
import { startReal } from '../support/real.js'

t.setTimeout(120_000)

const bundled = (name: string) => fileURLToPath(new URL(`../../models/${name}`, import.meta.url))
const { url } = await startReal(t, {
  CROPPER_MODEL: bundled('cropvlm-mini'),
  LOCAL_TARGET_MODEL: bundled('smolvlm-mini'),
})
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none' })
const page = readFileSync(new URL('../../docs/example.png', import.meta.url)).toString('base64')
const messages: OpenAI.ChatCompletionMessageParam[] = [
  {
    role: 'user',
    content: [
      { type: 'text', text: 'What is the total?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${page}` } },
    ],
  },
]

t.test('with the crop, without it, and streaming', async t => {
  const request = { model: 'local', messages }
  const { data, response } = await client.chat.completions.create(request).withResponse()
  t.match(data.choices[0]?.message.content, '31.70')
  t.equal(response.headers.get('x-cropvlm-decision'), 'zoomed')
  const alone = await client.chat.completions.create(request, { headers: { 'x-cropvlm-zoom': 'off' } })
  t.notMatch(alone.choices[0]?.message.content, '31.70')
  let text = ''
  for await (const { choices } of await client.chat.completions.create({ ...request, stream: true }))
    text += choices[0]?.delta.content ?? ''
  t.equal(text, data.choices[0]?.message.content)
})

t.test('a question about the date in the next turn', async t => {
  const more: OpenAI.ChatCompletionMessageParam[] = [
    ...messages,
    { role: 'assistant', content: '31.70' },
    { role: 'user', content: 'What is the date?' },
  ]
  const reply = await client.chat.completions.create({ model: 'local', messages: more })
  t.match(reply.choices[0]?.message.content, '17/06')
})

t.test('the crop of an image and a question is the same bytes each time', async t => {
  const zoom = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/zoom`, { method: 'POST', headers, body: JSON.stringify({ messages }) })
    return { text: await response.text(), boxes: response.headers.get('x-cropvlm-boxes') }
  }
  const [remembered, found] = [await zoom({}), await zoom({ 'x-cropvlm-zoom': 'always' })]
  t.match(remembered.text, /enlarged part of image 1/)
  t.strictSame(found, remembered, 'found anew, with an option that changes nothing')
})
