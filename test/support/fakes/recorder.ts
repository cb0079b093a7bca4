import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'

/** A request as it arrived. */
export interface Recorded {
  method: string
  url: string
  /** Names and values in turn, as they were sent. */
  rawHeaders: string[]
  headers: IncomingMessage['headers']
  body: Buffer
}

export interface Recorder {
  /** Up to and with `/v1`. */
  baseUrl: string
  requests: Recorded[]
  /** The last request. */
  last(): Recorded
}

type Answer = (response: ServerResponse, request: Recorded, raw: IncomingMessage) => void

export const CHAT_REPLY =
  '{"id":"x", "object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"31.70"},"finish_reason":"stop"}],"usage":{"prompt_tokens":700,"completion_tokens":4,"total_tokens":704}}'

const good: Answer = response => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(CHAT_REPLY)
}

/** A server on loopback that keeps every byte that it is sent; closed with the test. */
export async function recorder(t: Test, answer: Answer = good): Promise<Recorder> {
  const requests: Recorded[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      // the client has gone
      return
    }
    const { method = '', url = '', rawHeaders, headers } = request
    const recorded = { method, url, rawHeaders, headers, body: Buffer.concat(chunks) }
    requests.push(recorded)
    answer(response, recorded, request)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  const last = () => {
    const request = requests.at(-1)
    if (!request) throw new Error('nothing was sent')
    return request
  }
  return { baseUrl: `http://127.0.0.1:${port}/v1`, requests, last }
}
