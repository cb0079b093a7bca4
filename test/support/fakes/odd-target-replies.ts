/** Replies as servers that speak OpenAI's API were seen to give them, each its own way. */
import { json, type Reply } from './upstream.js'

const USAGE = { prompt_tokens: 900, completion_tokens: 4 }

/** A completion with a message of these fields. */
function says(message: object, finish_reason: string | null = 'stop'): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }],
    usage: USAGE,
  }
}

const ok = (message: object, finishReason?: string | null) => json(200, says(message, finishReason))

/** A body with a content type of the server's own, or with none. */
function body(text: string, type: string | null): Reply {
  return response => {
    if (type !== null) response.setHeader('content-type', type)
    response.writeHead(200).end(text)
  }
}

const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, ...more }] })}`
const END = ['data: {"choices":[],"usage":{"prompt_tokens":900,"completion_tokens":4}}', 'data: [DONE]', '']
const events = (...lines: string[]) => body(lines.join('\n\n'), 'text/event-stream; charset=utf-8')

interface Answered {
  reply: Reply
  /** Parts of the target's answer. */
  answer: object
}

/** Replies that hold an answer. The usage is the same in all. */
export const ANSWERED: Readonly<Record<string, Answered>> = {
  'a list of parts': {
    reply: ok({
      content: [
        { type: 'text', text: 'four ' },
        { type: 'text', text: 'eight two' },
      ],
    }),
    answer: { text: 'four eight two', finishReason: 'stop', reasoning: null, refusal: null },
  },
  'parts that think (Magistral)': {
    reply: ok({
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'The last line.' }] },
        { type: 'text', text: '482' },
      ],
    }),
    answer: { text: '482', reasoning: 'The last line.' },
  },
  'thinking between tags': {
    reply: ok({ content: '<think>\nThe last line says 482.\n</think>\n\n482' }),
    answer: { text: '482', reasoning: 'The last line says 482.' },
  },
  'a closing tag alone': {
    reply: ok({ content: 'The last line says 482.\n</think>\n482' }),
    answer: { text: '482', reasoning: 'The last line says 482.' },
  },
  'thinking in a field of its own (vLLM, DeepSeek)': {
    reply: ok({ content: '482', reasoning_content: ' The last line. ' }),
    answer: { text: '482', reasoning: 'The last line.' },
  },
  'the same, renamed, in both fields (vLLM 0.12, OpenRouter)': {
    reply: ok({ content: '482', reasoning_content: 'The last line.', reasoning: 'The last line.' }),
    answer: { text: '482', reasoning: 'The last line.' },
  },
  'a refusal': {
    reply: ok({ content: null, refusal: "I'm sorry, I can't assist with that." }),
    answer: { text: '', refusal: "I'm sorry, I can't assist with that.", finishReason: 'stop' },
  },
  'a refusal as a part': {
    reply: ok({ content: [{ type: 'refusal', refusal: 'No.' }] }),
    answer: { text: '', refusal: 'No.' },
  },
  'an answer that was cut': {
    reply: ok({ content: 'The total is four hundred and' }, 'length'),
    answer: { text: 'The total is four hundred and', finishReason: 'length' },
  },
  'an answer beside a tool call': {
    reply: ok({ content: '482', tool_calls: [{ function: { name: 'zoom', arguments: '{}' } }] }, 'tool_calls'),
    answer: { text: '482', finishReason: 'tool_calls' },
  },
  'no finish_reason': { reply: ok({ content: '482' }, null), answer: { text: '482', finishReason: null } },
  'text/plain': {
    reply: body(JSON.stringify(says({ content: '482' })), 'text/plain'),
    answer: { text: '482', finishReason: 'stop' },
  },
  'no content type, a byte order mark and spaces that kept the connection alive': {
    reply: body(`\uFEFF  \n  ${JSON.stringify(says({ content: '482' }))}`, null),
    answer: { text: '482' },
  },
  'an event stream': {
    reply: events(
      chunk({ role: 'assistant', content: '4' }),
      chunk({ content: '82' }, { finish_reason: 'stop' }),
      ...END,
    ),
    answer: { text: '482', finishReason: 'stop' },
  },
  'an event stream that thinks, with comments, said to be text/plain': {
    reply: body(
      [
        ': PROCESSING',
        chunk({ reasoning_content: 'The last ' }),
        chunk({ reasoning_content: 'line.' }),
        chunk({ content: '482' }, { finish_reason: 'length' }),
        ...END,
      ].join('\r\n\r\n'),
      'text/plain',
    ),
    answer: { text: '482', reasoning: 'The last line.', finishReason: 'length' },
  },
  'an event stream whose connection stays open': {
    reply: response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write([chunk({ content: '482' }), ...END].join('\n\n'))
    },
    answer: { text: '482', finishReason: null },
  },
}

interface Failing {
  reply: Reply
  message: RegExp
  details?: object
}

const openAiError = (status: number, message: string, more = {}) =>
  json(status, { error: { message, type: 'invalid_request_error', param: null, code: null, ...more } })

/** Replies that hold none; each has its own message. */
export const FAILING: Readonly<Record<string, Failing>> = {
  'no token left': {
    reply: ok({ content: '' }, 'length'),
    message: /max_tokens \(64\) ran out; raise max_tokens/,
    details: { status: 200, finish_reason: 'length' },
  },
  'no token left after thinking': {
    reply: ok({ content: null, reasoning_content: 'The user asks for' }, 'length'),
    message: /max_tokens \(64\) ran out while it was thinking; raise max_tokens/,
  },
  'the same, between tags': {
    reply: ok({ content: '<think>The user asks for' }, 'length'),
    message: /ran out while it was thinking; raise max_tokens/,
  },
  'nothing but thinking': {
    reply: ok({ content: null, reasoning: '482' }),
    message: /marked as thinking; check the reasoning parser/,
  },
  'a tool call': {
    reply: ok({ content: null, tool_calls: [{ type: 'function', function: { name: 'zoom_in', arguments: '{}' } }] }),
    message: /called a tool instead \(zoom_in\)/,
  },
  'a filtered answer': {
    reply: ok({ content: '' }, 'content_filter: SAFETY'),
    message: /content filter held it back/,
    details: { finish_reason: 'content_filter: SAFETY' },
  },
  'no tokens left, in the word of another API': {
    reply: ok({ content: null }, 'MAX_TOKENS'),
    message: /max_tokens \(64\) ran out; raise max_tokens/,
  },
  'a page of HTML': {
    reply: body('<!doctype html><title>Open WebUI</title>', 'text/html'),
    message: /is no chat completion, .*; check that TARGET_BASE_URL ends in \/v1/,
  },
  'another API': {
    reply: json(200, { message: { role: 'assistant', content: '482' }, done: true }),
    message: /is no chat completion, .*; check that TARGET_BASE_URL ends in \/v1/,
  },
  'a provider that failed while it wrote (OpenRouter)': {
    reply: json(200, {
      choices: [{ message: { content: '' }, finish_reason: 'error', error: { message: 'It fell over.', code: 502 } }],
    }),
    message: /replied 200 with an error\. It said: It fell over/,
    details: { status: 200, code: '502' },
  },
  'an error without a status of its own': {
    reply: json(200, { code: 30001, message: 'Sorry, your account balance is insufficient', data: null }),
    message: /It said: Sorry, your account balance/,
  },
  'no method': {
    reply: json(405, { detail: 'Method Not Allowed' }),
    message: /replied 405: it takes no chat completions at this address; check that TARGET_BASE_URL/,
  },
  'no choice': { reply: json(200, { choices: [] }), message: /no choice with a text/, details: { status: 200 } },
  'a filtered request (Azure)': {
    reply: openAiError(400, 'The response was filtered due to the prompt.', { code: 'content_filter' }),
    message: /replied 400: its content filter refused the request\. It said: The response was filtered/,
    details: { status: 400, code: 'content_filter' },
  },
  'no quota (OpenAI)': {
    reply: openAiError(429, 'You exceeded your current quota.', { code: 'insufficient_quota' }),
    message: /replied 429: its account has no quota or credit left\. It said: You exceeded/,
    details: { status: 429, code: 'insufficient_quota' },
  },
  'no credit (OpenRouter)': {
    reply: openAiError(402, 'This request requires more credits.', { code: 402 }),
    message: /replied 402: its account has no quota/,
    details: { status: 402, code: '402' },
  },
  'a rate limit, flat, with a Retry-After': {
    reply: json(429, { object: 'error', message: 'Too many requests', code: 429 }, { 'retry-after': '7' }),
    message: /replied 429: it is over its rate limit; .+ It said: Too many requests/,
    details: { status: 429, retry_after: 7, reason: 'Too many requests' },
  },
  'one image (vLLM)': {
    reply: json(400, {
      object: 'error',
      message: 'At most 1 image(s) may be provided in one request.',
      type: 'BadRequestError',
      param: null,
      code: 400,
    }),
    message: /--limit-mm-per-prompt .+mode=crop.+It said: At most 1 image/,
    details: { status: 400, code: '400', reason: 'At most 1 image(s) may be provided in one request.' },
  },
  'one image (Ollama)': {
    reply: json(500, { error: 'vision model only supports a single image per message' }),
    message: /--limit-mm-per-prompt .+mode=crop/,
  },
  'no images (llama.cpp)': {
    reply: openAiError(500, 'image input is not supported - hint: you may need to provide the mmproj', { code: 500 }),
    message: /reads no images; set TARGET_MODEL.+It said: image input is not supported/,
  },
  'an unknown model (Ollama)': {
    reply: json(404, { error: { message: 'model "qwen" not found, try pulling it first', type: 'api_error' } }),
    message: /replied 404: it has no such model; check TARGET_MODEL\. It said: model "qwen" not found/,
  },
  'an unknown model (LiteLLM)': {
    reply: openAiError(400, 'Invalid model name passed in model=qwen', { code: '400' }),
    message: /it has no such model; check TARGET_MODEL/,
  },
  'an unknown path (FastAPI)': {
    reply: json(404, { detail: 'Not Found' }),
    message: /TARGET_BASE_URL ends in \/v1\. It said: Not Found/,
    details: { status: 404, reason: 'Not Found' },
  },
  'a body that is not taken (FastAPI)': {
    reply: json(422, { detail: [{ loc: ['body', 'messages'], msg: 'Input should be a list', type: 'list_type' }] }),
    message: /replied 422\. It said: Input should be a list/,
  },
  'a text too long (vLLM)': {
    reply: openAiError(400, "This model's maximum context length is 4096 tokens, however you requested 5000."),
    message: /longer than its context; lower TARGET_FULL_EDGE and TARGET_CROP_EDGE/,
  },
  'an error within a 200 (OpenRouter)': {
    reply: json(200, { error: { message: 'No endpoints found that support image input', code: 404 }, user_id: 'u' }),
    message: /replied 200 with an error: its model reads no images.+It said: No endpoints found/,
    details: { status: 200, code: '404' },
  },
  'a rate limit within a 200': {
    reply: json(200, { error: { message: 'Slow down', code: 429 } }),
    message: /replied 200 with an error: it is over its rate limit/,
  },
  'the error of a provider behind another (OpenRouter)': {
    reply: openAiError(400, 'Provider returned error', {
      metadata: { raw: '{"error":{"message":"image too small"}}', provider_name: 'x' },
    }),
    message: /replied 400: it does not take this request\. It said: Provider returned error: image too small/,
  },
  'an error in a list (Gemini)': {
    reply: json(400, [{ error: { code: 400, message: 'Unable to process input image.', status: 'INVALID_ARGUMENT' } }]),
    message: /replied 400: it does not take this request\. It said: Unable to process input image/,
  },
  'a text (Envoy)': {
    reply: response => response.writeHead(503).end('upstream connect error or disconnect/reset before headers'),
    message: /replied 503\. It said: upstream connect error/,
  },
  'HTML (nginx)': {
    reply: response => response.writeHead(502).end('<html><h1>502 Bad Gateway</h1></html>'),
    message: /replied 502\.$/,
  },
  'an error in an event stream': {
    reply: events(chunk({ content: '4' }), 'data: {"error": {"message": "CUDA error", "code": 500}}', ''),
    message: /replied 200 with an error\. It said: CUDA error/,
  },
  'the same as an event of its own': {
    reply: events('event: error\ndata: {"message": "out of memory"}', ''),
    message: /replied 200 with an error\. It said: out of memory/,
  },
  'an event stream that breaks off': {
    reply: events(chunk({ content: 'The total is' }), ''),
    message: /cannot be read: its event stream breaks off/,
    details: { status: null },
  },
  'an event stream of no JSON': {
    reply: events('data: hello', ''),
    message: /cannot be read: its event stream holds what is no JSON/,
  },
  'a status that HTTP does not know': {
    reply: response => response.writeHead(999).end(),
    message: /cannot be read: its status is 999/,
  },
  'no content': { reply: response => response.writeHead(204).end(), message: /no choice with a text/ },
  'an empty body': { reply: body('', 'application/json'), message: /cannot be read: it is not a chat completion/ },
}
