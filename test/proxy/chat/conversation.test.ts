import t from 'tap'
import { readChat } from '../../../src/proxy/chat/conversation.js'
import { wholeValue } from '../../../src/proxy/json/scan.js'

const NOTE = 'Part of (image) {image}.'

function read(value: unknown, note: string | null = NOTE) {
  const json = Buffer.from(JSON.stringify(value))
  const chat = readChat(json, wholeValue(json), note)
  const turns = chat.turns.map(({ message, question, images, hasCrops }) => ({
    message,
    question,
    images: images.map(({ type, part, number, source }) => [type, part, number, source.kind]),
    hasCrops,
  }))
  return { ...chat, turns }
}

const text = (text: string) => ({ type: 'text', text })
const picture = (url = 'data:image/png;base64,AA==') => ({ type: 'image_url', image_url: { url } })

t.test("the user's turns, each with its texts and images", async t => {
  const { turns, model } = read({
    model: 'm',
    messages: [
      { role: 'system', content: [picture()] },
      { role: 'user', content: 'hello' },
      { role: 'user', content: [text('a'), picture(), text('b'), { type: 'input_audio' }, 7, null] },
      { role: 'assistant', content: [picture()] },
      { role: 'user', content: [picture('https://x.test/a'), { type: 'image_url', image_url: 'data:,x' }] },
      { role: 'user' },
      'user',
    ],
  })
  t.equal(model?.text, 'm')
  t.strictSame(turns, [
    { message: 1, question: 'hello', images: [], hasCrops: false },
    { message: 2, question: 'a\nb', images: [['image_url', 1, 1, 'data']], hasCrops: false },
    {
      message: 4,
      question: '',
      images: [
        ['image_url', 0, 2, 'link'],
        ['image_url', 1, 3, 'data'],
      ],
      hasCrops: false,
    },
  ])
})

t.test('images of Responses and of Anthropic', async t => {
  const url = 'data:image/png;base64,AA=='
  const base64 = { type: 'base64', media_type: 'image/png', data: 'AA==' }
  const content = [
    { type: 'input_text', text: 'q' },
    { type: 'input_image', image_url: url },
    { type: 'input_image', file_id: 'f' },
    { type: 'image', source: base64 },
    { type: 'image', source: { type: 'url', url: 'http://x.test/' } },
    { type: 'image', source: { type: 'file', file_id: 'f' } },
    { type: 'image' },
  ]
  const { turns } = read({ input: [{ role: 'user', content }] })
  t.equal(turns[0]?.question, 'q')
  t.strictSame(
    turns[0]?.images.map(image => image[3]),
    ['data', 'elsewhere', 'data', 'link', 'elsewhere', 'elsewhere'],
  )
})

t.test('a crop that was put in is known by the text before it', async t => {
  const zoomed = [picture(), text('Part of (image) 12.'), picture(), text('q')]
  const [turn] = read({ messages: [{ role: 'user', content: zoomed }] }).turns
  t.strictSame(turn, { message: 0, question: 'q', images: [['image_url', 0, 1, 'data']], hasCrops: true })
  const [unknown] = read({ messages: [{ role: 'user', content: zoomed }] }, null).turns
  t.match(unknown, { hasCrops: false, images: { length: 2 } })
  const [alone] = read({ messages: [{ role: 'user', content: [text('Part of (image) x.'), picture()] }] }).turns
  t.match(alone, { hasCrops: false, question: 'Part of (image) x.', images: { length: 1 } })
})

t.test('what is no chat has no turns', async t => {
  for (const value of [7, [], {}, { messages: 'x' }, { input: 'a text' }, { messages: {} }])
    t.strictSame(read(value).turns, [], JSON.stringify(value))
  t.equal(read({ model: 7 }).model, null)
})
