/** A target in this process answers itself, in the shapes of the APIs (point 14). */
import OpenAI from 'openai'
import t from 'tap'
import { listen } from '../../../support/fakes/app.js'
import { ask, PAGE, PAGE_URL } from '../../../support/fakes/proxy.js'
import { jobsOf } from '../../../support/fakes/scripted-engine.js'

const PATH = '/v1/chat/completions'

async function local(t: Parameters<typeof listen>[0], env: Record<string, string> = {}, script = {}) {
  const { url, engine } = await listen(t, script, env)
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
  const post = (path: string, body: object) =>
    fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return { client, engine, post, url }
}

const messages = [ask('What is the brand?')] as OpenAI.ChatCompletionMessageParam[]

t.test('a chat completion from the image and its crop', async t => {
  const { client, engine, url } = await local(t)
  const { data, response } = await client.chat.completions.create({ model: 'local', messages, n: 2 }).withResponse()
  t.match(data, {
    id: /^chatcmpl-/,
    object: 'chat.completion',
    created: Number,
    model: 'local',
    choices: [
      { index: 0, message: { role: 'assistant', content: 'Dakota Digital.' }, finish_reason: 'stop' },
      { index: 1, message: { content: 'Dakota Digital.' } },
    ],
    usage: { prompt_tokens: 512, completion_tokens: 6, total_tokens: 518 },
  })
  t.match(Object.fromEntries(response.headers), { 'x-cropvlm-decision': 'zoomed', 'x-request-id': /./ })
  const [job] = jobsOf(engine, 'generate')
  t.match(job, { model: 'local', maxTokens: 64, temperature: 0 })
  t.strictSame(
    job?.images.map(image => Buffer.from(image).toString()),
    ['full', 'crop'],
  )
  t.match(jobsOf(engine, 'render')[0]?.pictures, [{ show: 'region', format: 'png' }], 'lossless: no network is between')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, 'cropvlm_target_requests_total{target="local",outcome="ok"} 2')
  t.match(metrics, 'cropvlm_target_duration_seconds_count{target="local"} 2')
  t.match(metrics, 'cropvlm_target_tokens_total{target="local",type="completion"} 6')
})

t.test('streaming, with usage', async t => {
  const { client } = await local(t)
  const stream = await client.chat.completions.create({
    model: 'any',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  t.equal(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join(''), 'Dakota Digital.')
  t.equal(chunks.at(-2)?.choices[0]?.finish_reason, 'stop')
  t.match(chunks.at(-1), { object: 'chat.completion.chunk', model: 'any', choices: [], usage: { total_tokens: 515 } })
  t.equal(new Set(chunks.map(({ id }) => id)).size, 1)
})

t.test('max_tokens and temperature; an answer that was cut', async t => {
  const usage = { promptTokens: 512, completionTokens: 3 }
  const cut = { kind: 'generate', text: 'Dakota', finishReason: 'length', usage, timings: {} }
  const { client, engine } = await local(t, {}, { generate: async () => cut })
  const reply = await client.chat.completions.create({ model: 'x', messages, max_tokens: 3, temperature: 0.5 })
  t.match(jobsOf(engine, 'generate')[0], { maxTokens: 3, temperature: 0.5 })
  t.equal(reply.choices[0]?.finish_reason, 'length')
})

t.test('the newest question about an image of an earlier turn', async t => {
  const { client, engine } = await local(t)
  const more = [...messages, { role: 'assistant', content: 'X' }, { role: 'user', content: 'Which width?' }]
  await client.chat.completions.create({ model: 'x', messages: more as OpenAI.ChatCompletionMessageParam[] })
  t.match(jobsOf(engine, 'generate')[0]?.text, 'Which width?')
  t.ok(Buffer.from(jobsOf(engine, 'render').at(-1)?.image ?? []).equals(PAGE))
})

t.test('a call that fails is counted too', async t => {
  const { client, url } = await local(t, {}, { generate: () => Promise.reject(new Error('down')) })
  t.match(await client.chat.completions.create({ model: 'x', messages }).catch(error => error), { status: 500 })
  t.match(
    await (await fetch(`${url}/metrics`)).text(),
    'cropvlm_target_requests_total{target="local",outcome="failed"} 1',
  )
})

t.test('where the zoom fails it answers from the image alone', async t => {
  const { client } = await local(t, {}, { locate: () => Promise.reject(new Error('down')) })
  const { data, response } = await client.chat.completions.create({ model: 'x', messages }).withResponse()
  t.equal(data.choices[0]?.message.content, 'unanswerable')
  t.equal(response.headers.get('x-cropvlm-decision'), 'failed')
})

t.test('Responses, plain and streaming', async t => {
  const { client } = await local(t)
  const input: OpenAI.Responses.ResponseInput = [
    {
      role: 'user',
      content: [
        { type: 'input_image', image_url: PAGE_URL, detail: 'auto' },
        { type: 'input_text', text: 'What is the brand?' },
      ],
    },
  ]
  const reply = await client.responses.create({ model: 'x', input })
  t.equal(reply.output_text, 'Dakota Digital.')
  t.match(reply, { status: 'completed', usage: { input_tokens: 512, output_tokens: 3 } })
  const stream = client.responses.stream({ model: 'x', input })
  let text = ''
  stream.on('response.output_text.delta', ({ delta }) => {
    text += delta
  })
  t.match(await stream.finalResponse(), { output_text: 'Dakota Digital.' })
  t.equal(text, 'Dakota Digital.')
})

t.test("Anthropic's messages, plain and streaming", async t => {
  const { post } = await local(t)
  const source = { type: 'base64', media_type: 'image/png', data: PAGE.toString('base64') }
  const content = [
    { type: 'image', source },
    { type: 'text', text: 'What is the brand?' },
  ]
  const body = { model: 'x', max_tokens: 20, messages: [{ role: 'user', content }] }
  t.match(await (await post('/v1/messages', body)).json(), {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text: 'Dakota Digital.' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 512, output_tokens: 3 },
  })
  const stream = await post('/v1/messages', { ...body, stream: true })
  t.match(stream.headers.get('content-type'), 'text/event-stream')
  const names = [...(await stream.text()).matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)
  t.strictSame(names, [
    'message_start',
    'content_block_start',
    'content_block_delta',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ])
})

t.test('its models are the targets; other paths are not there', async t => {
  const TARGETS = JSON.stringify([
    { name: 'mini', model: 'local:models/smolvlm-mini' },
    { name: 'far', base_url: 'http://127.0.0.1:1/v1', model: 'vlm' },
  ])
  const { client, post } = await local(t, { TARGETS })
  const { data } = await client.models.list()
  t.strictSame(
    data.map(({ id, object }) => [id, object]),
    [
      ['mini', 'model'],
      ['far', 'model'],
    ],
  )
  const other = await post('/v1/embeddings', {})
  t.equal(other.status, 404)
  t.match(await other.json(), { error: { code: 'not_found', message: /TARGET_BASE_URL/ } })
})

t.test('what it cannot do is told in the envelope', async t => {
  const { post } = await local(t)
  for (const [body, message] of [
    [{ messages: [{ role: 'user', content: 'hi' }] }, /about an image/],
    [{ messages: [ask('Total?', 'https://example.com/a.png')] }, /data URL/],
    [{ messages, logprobs: true }, /`logprobs`/],
    [{ messages, response_format: { type: 'json_object' } }, /`response_format`/],
    [{ messages, tool_choice: 'required' }, /`tool_choice`/],
    [{ messages, n: 9 }, /`n` must be a whole number from 1 to 8/],
    [{ messages, max_completion_tokens: 0 }, /`max_completion_tokens` must be/],
    [{ messages, temperature: 'hot' }, /`temperature` must be/],
    [[], /JSON object/],
  ] as const) {
    const reply = await post(PATH, body)
    t.ok(reply.status === 400 || reply.status === 403, String(message))
    t.match(await reply.json(), { error: { message, type: String } })
  }
})
