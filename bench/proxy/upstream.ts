/**
 * The server behind the proxies, a process of its own. It says `{"port": N}` in a line, and ends with its input.
 * `POST` answers a chat completion, always the same; where the query has `events` and `gap`, so many server-sent events,
 * one each `gap` milliseconds, the first at once. Each event has the time at which it was sent, in the nanoseconds of the
 * system's monotonic clock, which all processes share.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const REPLY = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_764_000_000,
    model: 'bench',
    choices: [{ index: 0, message: { role: 'assistant', content: 'The total is 31.70.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 8, total_tokens: 20 },
  }),
)

const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => answer(request, response))
})
// a proxy is to find its connections open
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
process.stdin.resume().once('end', () => process.exit())

function answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const { searchParams: query } = new URL(url, 'http://upstream')
  const events = Number(query.get('events'))
  if (events > 0) stream(response, events, Number(query.get('gap')))
  else response.writeHead(200, { 'content-type': 'application/json', 'content-length': REPLY.length }).end(REPLY)
}

function stream(response: ServerResponse, events: number, gap: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  let left = events
  const next = () => {
    const sent = process.hrtime.bigint().toString()
    response.write(`data: ${JSON.stringify({ sent, choices: [{ index: 0, delta: { content: 'word ' } }] })}\n\n`)
    left -= 1
    if (left > 0) return
    clearInterval(timer)
    response.end('data: [DONE]\n\n')
  }
  const timer = setInterval(next, gap)
  response.once('close', () => clearInterval(timer))
  next()
}
