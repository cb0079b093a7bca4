import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { headerOf, replyHeaders } from './headers.js'
import type { UpstreamReply } from './send.js'

/**
 * Sends an upstream's reply to the caller: its status, headers and bytes, each as it comes. Resolves once all are out.
 * Where either side breaks off, the other side's connection is closed.
 * @param ours Headers of this service, added to the upstream's. Its own `x-request-id` stays, which its owner asks for.
 * @param observe Told of each chunk, which it must not keep.
 */
export async function relay(
  { status, statusText, headers, body }: UpstreamReply,
  response: ServerResponse,
  ours: Readonly<Record<string, string>>,
  observe?: (chunk: Buffer) => void,
): Promise<void> {
  const added = Object.entries(ours).filter(
    ([name]) => name !== 'x-request-id' || headerOf(headers, 'x-request-id') === undefined,
  )
  response.writeHead(status, statusText, [...replyHeaders(headers, ours), ...added.flat()])
  // a stream may wait long for its first event; of a reply whose length is known the first bytes follow at once
  if (headerOf(headers, 'content-length') === undefined) response.flushHeaders()
  const done = pipeline(body, response)
  if (observe) body.on('data', observe)
  await done
}
