/** What an upstream answers to the programs of this folder: a tool call, a structured output or a text, as it is asked. */
import type { ServerResponse } from 'node:http'
import type { Recorded } from '../../support/fakes/recorder.js'

export const TEXT = 'It is 31.70.'
const PIECES = ['It', ' is', ' 31.70', '.']
const USAGE = { prompt_tokens: 700, completion_tokens: 4, total_tokens: 704 }
const CALL = { id: 'call_1', type: 'function', function: { name: 'look_up', arguments: '{"item": "total"}' } }

interface Body {
  model?: string
  stream?: boolean
  n?: number
  logprobs?: boolean
  tools?: unknown[]
  response_format?: unknown
  messages?: { role: string; content: unknown }[]
}

/** The answer of a recorder. */
export function scripted(response: ServerResponse, { url, body }: Recorded): void {
  const asked: Body = JSON.parse(body.toString() || '{}')
  const { whole, stream, isDone } = ANSWERS[url] ?? {}
  if (asked.model === 'busy') busy(response, url)
  else if (asked.stream && stream) events(response, stream(asked), isDone)
  else if (whole) json(response, whole(asked))
  else response.writeHead(404).end()
}

interface Answers {
  whole: (asked: Body) => object
  stream?: (asked: Body) => Event[]
  /** Whether a stream ends with `[DONE]`. */
  isDone?: boolean
}

/** An event of a stream, with its name where it has one. */
type Event = { type?: string; [field: string]: unknown }

const MODELS = { object: 'list', data: [{ id: 'vlm', object: 'model', created: 1, owned_by: 'x' }] }

const ANSWERS: Readonly<Record<string, Answers>> = {
  '/v1/models': { whole: () => MODELS },
  '/v1/chat/completions': { whole: chat, stream: chatChunks, isDone: true },
  '/v1/responses': { whole: () => RESPONSE, stream: responseEvents },
  '/v1/messages': { whole: message, stream: messageEvents },
}

function busy(response: ServerResponse, url: string): void {
  const said = { type: 'rate_limit_error', message: 'Slow down.', code: 'rate_limit_exceeded' }
  const body = url === '/v1/messages' ? { type: 'error', error: said } : { error: said }
  response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' }).end(JSON.stringify(body))
}

function json(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json', 'x-request-id': 'req_1' }).end(JSON.stringify(body))
}

function events(response: ServerResponse, all: Event[], isDone = false): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  for (const event of all)
    response.write(`${event.type ? `event: ${event.type}\n` : ''}data: ${JSON.stringify(event)}\n\n`)
  response.end(isDone ? 'data: [DONE]\n\n' : undefined)
}

/** Whether a tool is to be called first. */
function callsTool({ tools, messages = [] }: Body): boolean {
  const last = messages.at(-1)
  const hasResult = last?.role === 'tool' || JSON.stringify(last?.content ?? '').includes('"tool_result"')
  return tools !== undefined && !hasResult
}

const HEAD = { id: 'chatcmpl-1', created: 1, model: 'vlm' }

function chat(asked: Body): object {
  const isCall = callsTool(asked)
  const content = asked.response_format ? '{"total": "31.70"}' : TEXT
  const token = { token: 'It', logprob: -0.25, bytes: [73, 116], top_logprobs: [] }
  const choice = (index: number) => ({
    index,
    message: isCall
      ? { role: 'assistant', content: null, tool_calls: [CALL] }
      : { role: 'assistant', content, refusal: null },
    logprobs: asked.logprobs ? { content: [token], refusal: null } : null,
    finish_reason: isCall ? 'tool_calls' : 'stop',
  })
  const choices = Array.from({ length: asked.n ?? 1 }, (_, index) => choice(index))
  // a field that no client knows
  return { ...HEAD, object: 'chat.completion', choices, usage: USAGE, kv_transfer_params: null }
}

function chatChunks(asked: Body): Event[] {
  const chunk = (delta: object, finish_reason: string | null = null) => ({
    ...HEAD,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason }],
  })
  const call = (more: object) => chunk({ tool_calls: [{ index: 0, ...more }] })
  const { name, arguments: given } = CALL.function
  const words = callsTool(asked)
    ? [
        call({ id: CALL.id, type: 'function', function: { name, arguments: '' } }),
        ...given.split(/(?= )/).map(part => call({ function: { arguments: part } })),
        chunk({}, 'tool_calls'),
      ]
    : [...PIECES.map(content => chunk({ content })), chunk({}, 'stop')]
  const last = { ...HEAD, object: 'chat.completion.chunk', choices: [], usage: USAGE }
  return [chunk({ role: 'assistant', content: '' }), ...words, last]
}

const PART = { type: 'output_text', text: TEXT, annotations: [] }
const ITEM = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [PART] }
const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'vlm',
  status: 'completed',
  output: [ITEM],
  parallel_tool_calls: true,
  tool_choice: 'auto',
  tools: [],
  usage: {
    input_tokens: 700,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 4,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 704,
  },
}

function responseEvents(): Event[] {
  const at = { item_id: ITEM.id, output_index: 0, content_index: 0 }
  const all = [
    { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item: { ...ITEM, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...at, part: { ...PART, text: '' } },
    ...PIECES.map(delta => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text: TEXT, logprobs: [] },
    { type: 'response.output_item.done', output_index: 0, item: ITEM },
    { type: 'response.completed', response: RESPONSE },
  ]
  return all.map((event, sequence_number) => ({ ...event, sequence_number }))
}

const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'vlm', stop_sequence: null }
const MESSAGE_USAGE = { input_tokens: 700, output_tokens: 4 }

function message(asked: Body): object {
  const call = { type: 'tool_use', id: CALL.id, name: CALL.function.name, input: { item: 'total' } }
  const [content, stop_reason] = callsTool(asked) ? [call, 'tool_use'] : [{ type: 'text', text: TEXT }, 'end_turn']
  return { ...MESSAGE, content: [content], stop_reason, usage: MESSAGE_USAGE }
}

function messageEvents(): Event[] {
  const begun = { ...MESSAGE, content: [], stop_reason: null, usage: { ...MESSAGE_USAGE, output_tokens: 1 } }
  return [
    { type: 'message_start', message: begun },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    ...PIECES.map(text => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 4 } },
    { type: 'message_stop' },
  ]
}
