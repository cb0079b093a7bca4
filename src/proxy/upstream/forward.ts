import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { headerOf, requestHeaders } from './headers.js'
import { relay } from './relay.js'
import { type Sender, toCoded, type UpstreamReply } from './send.js'
import { type Upstream, upstreamUrl } from './upstream.js'
import { Tail, type Tokens, usageIn } from './usage.js'

export interface Forward {
  upstream: Upstream
  /** The caller's request: its method, path, query and headers go on. */
  request: Pick<IncomingMessage, 'method' | 'rawHeaders' | 'headers'> & { path: string }
  /** What goes on as the body; null: none. */
  body: Buffer | Readable | null
  /** Whether it is no longer in the coding that the request's `Content-Encoding` names. */
  isUnpacked: boolean
  /** Whether this service has a key of its own, which the caller's `Authorization` holds. */
  hasOwnKey: boolean
  /** Headers that say which request and which trace this is a part of, in the place of the caller's. Default: none. */
  about?: Readonly<Record<string, string>>
  /** How long the upstream may be silent before the first byte of its reply, in milliseconds. */
  firstByteMs: number
  /** Aborted when the client has gone. */
  signal: AbortSignal
}

/** Sends a request on. @throws CropVlmError not_found, target_failed, target_timeout, request_aborted */
export async function sendOn(
  sender: Sender,
  { upstream, request, body, isUnpacked, hasOwnKey, about = {}, firstByteMs, signal }: Forward,
): Promise<UpstreamReply> {
  const { method = 'GET', rawHeaders, headers, path } = request
  const own = Object.entries(upstream.headers ?? {})
  const fixed = own.map(([name]) => name.toLowerCase())
  // what the caller says itself stays as it wrote it
  const told = Object.entries(about).filter(([name, value]) => headers[name] !== value && !fixed.includes(name))
  const replaced = [...fixed, ...told.map(([name]) => name), ...(isUnpacked ? ['content-encoding'] : [])]
  const kept = requestHeaders(rawHeaders, { hasOwnKey, apiKey: upstream.apiKey, replaced })
  const length = Buffer.isBuffer(body) ? String(body.length) : headers['content-length']
  const sized = length !== undefined && body !== null ? ['content-length', length] : []
  return await sender.send({
    method,
    url: upstreamUrl(upstream, path),
    headers: [...kept, ...own.flat(), ...told.flat(), ...sized],
    body,
    timeouts: { firstByteMs, betweenMs: upstream.timeoutMs },
    signal,
  })
}

/**
 * Passes an upstream's reply on, and gives the tokens that it told; null where it told none.
 * @throws CropVlmError target_failed, target_timeout, request_aborted, after the connection to the client was cut
 */
export async function passOn(
  reply: UpstreamReply,
  response: ServerResponse,
  ours: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Tokens | null> {
  const length = headerOf(reply.headers, 'content-length')
  const tail = mayTellUsage(reply) ? new Tail(length === undefined ? undefined : Number(length)) : null
  let hasBegun = false
  const observe = (chunk: Buffer) => {
    if (!hasBegun) reply.hasBegun()
    hasBegun = true
    tail?.push(chunk)
  }
  try {
    await relay(reply, response, ours, observe)
  } catch (error) {
    throw toCoded(error, signal)
  }
  return tail && usageIn(tail.bytes())
}

/** JSON or an event stream whose bytes are not compressed. */
function mayTellUsage({ headers }: UpstreamReply): boolean {
  const isPlain = (headerOf(headers, 'content-encoding') ?? 'identity') === 'identity'
  return isPlain && /json|event-stream/.test(headerOf(headers, 'content-type') ?? '')
}
