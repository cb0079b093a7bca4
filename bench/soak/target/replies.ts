/** What a target says: the steady one always the same, the shaky one whatever comes into its head. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export const ANSWER = '31.70 in all'

const USAGE = { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 }
const STREAM_PAUSE_MS = 20
const EVENTS = 6
/** More than the service may take of one reply. */
const FLOOD = { parts: 48, part: Buffer.alloc(2 ** 20, 97) }

export type Behaviour = (request: IncomingMessage, response: ServerResponse, wantsStream: boolean) => void

/** A chat completion, a reply of the Responses API or of Anthropic's messages, by the path. */
export const steady: Behaviour = ({ url = '' }, response, wantsStream) => {
  if (wantsStream) return void stream(response, EVENTS, STREAM_PAUSE_MS)
  if (url.endsWith('/models')) return json(response, 200, { object: 'list', data: [{ id: 'vlm', object: 'model' }] })
  if (url.endsWith('/responses'))
    return json(response, 200, { output: [{ type: 'message', content: [{ type: 'output_text', text: ANSWER }] }] })
  if (url.endsWith('/messages')) return json(response, 200, { content: [{ type: 'text', text: ANSWER }] })
  const message = { role: 'assistant', content: ANSWER }
  json(response, 200, { id: 'c', choices: [{ index: 0, message, finish_reason: 'stop' }], usage: USAGE })
}

/** By name, each a way to go wrong; half of the replies are good, so that the breaker closes again. */
export const SHAKY: Readonly<Record<string, Behaviour>> = {
  good: steady,
  'good again': steady,
  'good once more': steady,
  'and again': steady,
  'slow, but good': (...all) => void sleep(300).then(() => steady(...all)),
  'stall before the headers': () => {},
  'stall in the reply': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices": [')
  },
  'reset before the headers': request => void request.socket.resetAndDestroy(),
  'reset in the reply': (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }).write('{"choices"')
    setTimeout(() => response.socket?.resetAndDestroy(), 20)
  },
  'reset in a stream': (_, response) => {
    void stream(response, EVENTS, STREAM_PAUSE_MS)
    setTimeout(() => response.socket?.resetAndDestroy(), 2.5 * STREAM_PAUSE_MS)
  },
  500: (_, response) => json(response, 500, { error: { message: 'out of memory' } }),
  503: (_, response) => void response.writeHead(503, { 'retry-after': '1' }).end('busy'),
  429: (_, response) => json(response, 429, { error: { message: 'slow down' } }),
  'no JSON': (_, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('<html>'),
  'an empty reply': (_, response) => void response.writeHead(200).end(),
  'other JSON': (_, response) => json(response, 200, { choices: [{ message: { content: { a: 1 } } }] }),
  'a flood': (_, response) => flood(response),
  'a long, slow stream': (_, response) => void stream(response, 40, STREAM_PAUSE_MS),
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function stream(response: ServerResponse, events: number, pauseMs: number): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let i = 0; i < events && !response.destroyed; i++) {
    const content = i === events - 1 ? ANSWER : `${i} `
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`)
    await sleep(pauseMs)
  }
  response.end('data: [DONE]\n\n')
}

/** A reply of some 50 MB, as fast as it is read. */
function flood(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"choices":[{"message":{"content":"')
  let left = FLOOD.parts
  const more = () => {
    while (left-- > 0) if (!response.write(FLOOD.part)) return void response.once('drain', more)
    response.end('"}}]}')
  }
  more()
}
