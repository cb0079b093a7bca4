import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Test } from 'tap'
import type { OpenAiTargetConfig } from '../../../src/config/service.js'
import { generic } from '../../../src/cropper/dialects/pointing/generic.js'
import type { RemoteCropperSettings } from '../../../src/cropper/remote/settings.js'
import { PROFILES } from '../../../src/target/profiles.js'

export interface Received {
  url: string
  headers: IncomingMessage['headers']
  body: {
    model?: string
    max_tokens?: number
    max_completion_tokens?: number
    temperature?: number
    messages?: { role: string; content: ({ type: string; text?: string; image_url?: { url: string } } | undefined)[] }[]
  }
}

/** What a chat-completions endpoint replies; `completion` is a good one. */
export type Reply = (response: ServerResponse, received: Received, socket: Socket) => void

export function completion(content: unknown, usage: unknown = { prompt_tokens: 512, completion_tokens: 3 }): Reply {
  return json(200, { id: '1', object: 'chat.completion', choices: [{ index: 0, message: { content } }], usage })
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

/** A chat-completions endpoint on loopback, closed with the test. */
export async function upstream(t: Pick<Test, 'teardown'>, reply: Reply) {
  const received: Received[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    // a GET has none
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}')
    const one = { url: request.url ?? '', headers: request.headers, body }
    received.push(one)
    reply(response, one, request.socket)
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  }
  t.teardown(close)
  const { port } = server.address() as AddressInfo
  return { baseUrl: `http://127.0.0.1:${port}/v1`, received, close }
}

/** An endpoint that takes 20 ms for an answer and counts how many calls it ever had at once. */
export async function countingUpstream(t: Test): Promise<{ baseUrl: string; most(): number }> {
  let [inFlight, most] = [0, 0]
  const { baseUrl } = await upstream(t, (response, ...rest) => {
    most = Math.max(most, ++inFlight)
    setTimeout(() => {
      inFlight -= 1
      completion('x')(response, ...rest)
    }, 20)
  })
  return { baseUrl, most: () => most }
}

export function targetConfig(baseUrl: string, more: Partial<OpenAiTargetConfig> = {}): OpenAiTargetConfig {
  return {
    kind: 'openai',
    name: 'qwen',
    baseUrl,
    model: 'Qwen/Qwen2.5-VL-3B-Instruct',
    apiKey: 'sk-secret-key',
    timeoutMs: 30_000,
    concurrency: 4,
    query: '',
    headers: {},
    extraBody: {},
    profile: 'qwen2.5-vl',
    ...PROFILES['qwen2.5-vl'],
    fullEdge: 448,
    cropEdge: 448,
    ...more,
  }
}

export function cropperSettings(baseUrl: string, more: Partial<RemoteCropperSettings> = {}): RemoteCropperSettings {
  const { dialect = generic } = more
  return {
    name: 'openai',
    baseUrl,
    model: 'a-vlm',
    apiKey: null,
    dialect,
    longestEdge: null,
    growth: dialect.growth,
    guided: 'off',
    timeoutMs: 30_000,
    concurrency: 8,
    ...more,
  }
}
