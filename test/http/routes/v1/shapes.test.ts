/** Responses and Anthropic's messages through the proxy, and `/zoom`. */
import t from 'tap'
import { ask, CROP_URL, NOTE, PAGE, PAGE_URL, proxied } from '../../../support/fakes/proxy.js'

const CROP_DATA = CROP_URL.split(',')[1]
const source = { type: 'base64', media_type: 'image/png', data: PAGE.toString('base64') }

t.test('Responses: input_image', async t => {
  const { post, upstream } = await proxied(t)
  const image = `{"type":"input_image","detail":"low","image_url":"${PAGE_URL}"}`
  const tail = ',{"type":"input_text","text":"Total?"}]},{"type":"function_call_output","call_id":"c","output":"1"}]}'
  const head = '{"previous_response_id":null,"input":[{"role":"user","content":['
  const reply = await post('/v1/responses', head + image + tail)
  t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  const crop = `,{"type":"input_text","text":"${NOTE}"},{"type":"input_image","image_url":"${CROP_URL}","detail":"low"}`
  t.equal(upstream.last().body.toString(), head + image + crop + tail)
  t.equal(upstream.last().url, '/v1/responses')
  const text = '{"input":"What is the total?"}'
  await post('/v1/responses', text)
  t.equal(upstream.last().body.toString(), text)
  const file =
    '{"input":[{"role":"user","content":[{"type":"input_image","file_id":"f"},{"type":"input_text","text":"T?"}]}]}'
  t.equal((await post('/v1/responses', file)).headers.get('x-cropvlm-reason'), 'image_file')
  t.equal(upstream.last().body.toString(), file)
})

t.test('Responses: a later question, whose content was a string', async t => {
  const { post, upstream } = await proxied(t)
  const content = [
    { type: 'input_image', image_url: PAGE_URL },
    { type: 'input_text', text: 'Total?' },
  ]
  await post('/v1/responses', {
    input: [
      { role: 'user', content },
      { role: 'user', content: 'Date?' },
    ],
  })
  t.strictSame(JSON.parse(upstream.last().body.toString()).input[1].content, [
    { type: 'input_text', text: 'Date?' },
    { type: 'input_text', text: NOTE },
    { type: 'input_image', image_url: CROP_URL },
  ])
})

t.test("Anthropic's messages: base64 sources; tool results are untouched", async t => {
  const { post, upstream } = await proxied(t)
  const first = {
    role: 'user',
    content: [
      { type: 'image', source, cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'Total?' },
    ],
  }
  const result = {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source }] }],
  }
  const body = { system: 's', max_tokens: 10, messages: [first, { role: 'assistant', content: 'x' }, result] }
  const reply = await post('/v1/messages', body, { 'anthropic-version': '2023-06-01' })
  t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  const sent = JSON.parse(upstream.last().body.toString())
  t.strictSame(sent.messages[0].content.splice(1, 2), [
    { type: 'text', text: NOTE },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: CROP_DATA } },
  ])
  t.strictSame(sent, body)
  t.equal(upstream.last().headers['anthropic-version'], '2023-06-01')
  const link = {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'url', url: 'https://x.test/a' } },
          { type: 'text', text: 'T?' },
        ],
      },
    ],
  }
  t.equal((await post('/v1/messages', link)).headers.get('x-cropvlm-reason'), 'image_url')
})

t.test('/zoom gives the request back with crops, and forwards nothing', async t => {
  const { post, upstream } = await proxied(t)
  const body = `{"messages": [${JSON.stringify(ask('What is the total?'))}], "model":"default", "big":12345678901234567890 ,"cropvlm":{"expand":1}}`
  const reply = await post('/zoom', body)
  t.equal(reply.status, 200)
  t.match(reply.headers.get('content-type'), 'application/json')
  t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  const text = await reply.text()
  t.match(text, '"model":"default", "big":12345678901234567890}')
  t.strictSame(JSON.parse(text).messages[0].content.slice(1, 3), [
    { type: 'text', text: NOTE },
    { type: 'image_url', image_url: { url: CROP_URL } },
  ])
  const plain = '{ "messages":[] }'
  t.equal(await (await post('/zoom', plain)).text(), plain)
  const wrong = await post('/zoom', 'no json')
  t.equal(wrong.status, 400)
  t.match(await wrong.json(), { error: { code: 'invalid_body', message: /chat request/ } })
  t.equal(upstream.requests.length, 0)
})

t.test('/zoom fails open, and closed', async t => {
  const locate = () => Promise.reject(new Error('down'))
  const body = JSON.stringify({ messages: [ask('What is the total?')] })
  const open = await (await proxied(t, {}, { locate })).post('/zoom', body)
  t.equal(await open.text(), body)
  t.equal(open.headers.get('x-cropvlm-decision'), 'failed')
  t.equal((await (await proxied(t, { ZOOM_FAIL: 'closed' }, { locate })).post('/zoom', body)).status, 500)
})

t.test('what /zoom gave goes through again as it is, and a new question gets its crop', async t => {
  const { post, upstream } = await proxied(t)
  const once = await (await post('/zoom', { messages: [ask('What is the total?')] })).text()
  const again = await post('/v1/chat/completions', once)
  t.equal(upstream.last().body.toString(), once)
  t.equal(again.headers.get('x-cropvlm-reason'), 'has_crop')
  const messages = [...JSON.parse(once).messages, { role: 'user', content: 'And the date?' }]
  t.equal((await post('/v1/chat/completions', { messages })).headers.get('x-cropvlm-decision'), 'zoomed')
  const sent = JSON.parse(upstream.last().body.toString()).messages
  t.strictSame(sent[0], messages[0])
  t.match(sent[1].content, [{ text: 'And the date?' }, { text: NOTE }, { image_url: { url: CROP_URL } }])
})
