/**
 * A server in front of another that keeps the bytes of both ways. Of an event stream it holds back what follows the first
 * words until it is told that they have been seen: who waits for a whole stream waits for ever.
 */
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'
import type { Recorded } from '../fakes/recorder.js'

export interface Exchange extends Recorded {
  reply: { status: number; body: Buffer }
}

export interface Relay {
  /** Up to and with `/v1`. */
  baseUrl: string
  /** A POST to it says that the first words of the stream have been seen. */
  seen: string
  /** In the order in which the replies came. */
  exchanges: Exchange[]
}

/** The first words of an event stream, and of what calls a tool its first call. */
const WORDS = /"(?:content|text|delta)":\s*"[^"]|"tool_calls":\s*\[/

/** @param upstream Up to and with `/v1`. Closed with the test. */
export async function startRelay(t: Test, upstream: string): Promise<Relay> {
  const exchanges: Exchange[] = []
  let release = () => {}
  const server = createServer(async (request, response) => {
    const { method = '', url = '', rawHeaders, headers } = request
    const body = await buffer(request)
    if (url === '/seen') {
      release()
      response.end()
      return
    }
    const { host: _, ...passed } = headers
    const forwarded = send(upstream.replace(/\/v1$/, '') + url, { method, headers: passed }, async reply => {
      const status = reply.statusCode ?? 502
      response.writeHead(status, reply.rawHeaders)
      const chunks: Buffer[] = []
      let isHeld = /event-stream/.test(reply.headers['content-type'] ?? '')
      for await (const chunk of reply as AsyncIterable<Buffer>) {
        chunks.push(chunk)
        const whole = Buffer.concat(chunks)
        const end = isHeld ? endOfWords(whole) : null
        if (end === null) {
          response.write(chunk)
          continue
        }
        isHeld = false
        const before = whole.length - chunk.length
        const seen = new Promise<void>(resolve => {
          release = resolve
        })
        response.write(chunk.subarray(0, end - before))
        await seen
        response.write(chunk.subarray(end - before))
      }
      exchanges.push({ method, url, rawHeaders, headers, body, reply: { status, body: Buffer.concat(chunks) } })
      response.end()
    })
    forwarded.on('error', () => response.destroy())
    forwarded.end(body)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { baseUrl: `${address}/v1`, seen: `${address}/seen`, exchanges }
}

/** Where the first event with words ends; null where it has not ended yet. */
function endOfWords(stream: Buffer): number | null {
  const text = stream.toString('latin1')
  const words = text.search(WORDS)
  const end = words < 0 ? -1 : text.indexOf('\n\n', words)
  return end < 0 ? null : end + 2
}
