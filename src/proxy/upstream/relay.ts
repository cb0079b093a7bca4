import type { ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
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
  const done = pump(body, response)
  if (observe) body.on('data', observe)
  await done
}

/**
 * As `stream.pipeline` does it. That makes an AbortController for each call and aborts it at the end (Node 20), which alone
 * took a sixth of what a request without an image costs.
 */
function pump(body: Readable, response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      body.destroy()
      response.destroy()
      reject(error)
    }
    const onReplyClosed = () => {
      if (!body.readableEnded) fail(new Error('The reply ended before it was whole.'))
    }
    const onClientClosed = () => {
      if (!response.writableFinished) fail(new Error('The client closed its connection.'))
    }
    body.on('error', fail).once('close', onReplyClosed)
    response.on('error', fail).once('finish', resolve).once('close', onClientClosed)
    // of what is closed already no event comes
    if (body.destroyed) onReplyClosed()
    if (response.destroyed) onClientClosed()
    else body.pipe(response)
  })
}
