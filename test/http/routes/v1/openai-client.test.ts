/** The official client, which nobody here wrote, through the proxy: what it sends arrives, and what comes back is read. */
import OpenAI from 'openai'
import t from 'tap'
import { ask, PAGE_URL, proxied } from '../../../support/fakes/proxy.js'

const messages = [ask('What is the total?')] as OpenAI.ChatCompletionMessageParam[]

/** What an upstream answers: the body as text, or the parts of an event stream. */
async function client(t: Parameters<typeof proxied>[0], answer: object | string[]) {
  const made = await proxied(t, {}, {}, response => {
    const isStream = Array.isArray(answer)
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    if (isStream) for (const event of answer) response.write(event)
    response.end(isStream ? undefined : JSON.stringify(answer))
  })
  return { ...made, openai: new OpenAI({ baseURL: `${made.url}/v1`, apiKey: 'sk-x', maxRetries: 0 }) }
}

const choice = (message: object, more: object = {}) => ({ index: 0, finish_reason: 'stop', message, ...more })

t.test('create with n, logprobs, tools and response_format', async t => {
  const call = { id: 'c', type: 'function', function: { name: 'look', arguments: '{"a":1}' } }
  const logprobs = { content: [{ token: '31', logprob: -0.1, bytes: [51, 49], top_logprobs: [] }], refusal: null }
  const usage = {
    prompt_tokens: 700,
    completion_tokens: 4,
    total_tokens: 704,
    prompt_tokens_details: { cached_tokens: 3 },
  }
  const completion = {
    id: 'x',
    object: 'chat.completion',
    created: 1,
    model: 'vlm',
    choices: [
      choice({ role: 'assistant', content: '{"total":"31.70"}' }, { logprobs }),
      choice({ role: 'assistant', content: null, tool_calls: [call] }, { index: 1, finish_reason: 'tool_calls' }),
    ],
    usage,
  }
  const { openai, upstream, url } = await client(t, completion)
  const request: OpenAI.ChatCompletionCreateParamsNonStreaming = {
    model: 'vlm',
    messages,
    n: 2,
    logprobs: true,
    tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } }],
    response_format: { type: 'json_schema', json_schema: { name: 'r', schema: { type: 'object' } } },
  }
  const { data, response } = await openai.chat.completions.create(request).withResponse()
  t.match(data, completion)
  t.equal(response.headers.get('x-cropvlm-decision'), 'zoomed')
  const sent = JSON.parse(upstream.last().body.toString())
  sent.messages[0].content.splice(1, 2)
  t.strictSame(sent, JSON.parse(JSON.stringify(request)))
  t.equal(upstream.last().headers.authorization, 'Bearer sk-x')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, 'cropvlm_proxy_tokens_total{decision="zoomed",type="prompt"} 700')
  t.match(metrics, 'cropvlm_proxy_tokens_total{decision="zoomed",type="completion"} 4')
  t.match(metrics, 'cropvlm_proxy_replies_total{decision="zoomed",usage="true"} 1')
  t.match(metrics, 'cropvlm_proxy_crops_total 1')
})

t.test('stream', async t => {
  const chunk = (delta: object, more: object = {}) =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'vlm', choices: [{ index: 0, delta, finish_reason: null }], usage: null, ...more })}\n\n`
  const usage = { prompt_tokens: 11, completion_tokens: 2, total_tokens: 13 }
  const events = [chunk({ role: 'assistant', content: '' }), chunk({ content: '31' }), chunk({ content: '.70' })]
  const { openai, upstream, url } = await client(t, [...events, chunk({}, { choices: [], usage }), 'data: [DONE]\n\n'])
  const stream = await openai.chat.completions.create({
    model: 'vlm',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
  t.equal(text, '31.70')
  t.match(JSON.parse(upstream.last().body.toString()), { stream: true, messages: [{ content: { length: 4 } }] })
  t.match(
    await (await fetch(`${url}/metrics`)).text(),
    'cropvlm_proxy_tokens_total{decision="zoomed",type="prompt"} 11',
  )
})

t.test('Responses', async t => {
  const message = {
    type: 'message',
    id: 'm',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text: '31.70', annotations: [] }],
  }
  const { openai } = await client(t, {
    id: 'r',
    object: 'response',
    status: 'completed',
    output: [message],
    usage: { input_tokens: 9, output_tokens: 1 },
  })
  const content = [
    { type: 'input_image', image_url: PAGE_URL, detail: 'high' },
    { type: 'input_text', text: 'Total?' },
  ] as OpenAI.Responses.ResponseInputMessageContentList
  const { data, response } = await openai.responses
    .create({ model: 'vlm', input: [{ role: 'user', content }] })
    .withResponse()
  t.equal(data.output_text, '31.70')
  t.equal(response.headers.get('x-cropvlm-decision'), 'zoomed')
})

t.test("an upstream's error is the client's own", async t => {
  const { url } = await proxied(t, {}, {}, response => {
    const body = { error: { message: 'slow down', type: 'requests', param: null, code: 'rate_limit_exceeded' } }
    response.writeHead(429, { 'content-type': 'application/json', 'x-request-id': 'req_1' }).end(JSON.stringify(body))
  })
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-x', maxRetries: 0 })
  const error = await openai.chat.completions.create({ model: 'vlm', messages }).catch(error => error)
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match(error, { status: 429, code: 'rate_limit_exceeded', requestID: 'req_1' })
})
