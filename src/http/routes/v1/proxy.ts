/** What the routes of the proxy share. */
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import { fetchingOnce } from '../../../proxy/crop/image-bytes.js'
import type { Parts } from '../../../proxy/prepare.js'
import { passOn, sendOn } from '../../../proxy/upstream/forward.js'
import { isCors } from '../../../proxy/upstream/headers.js'
import type { Sender, UpstreamReply } from '../../../proxy/upstream/send.js'
import type { Upstream } from '../../../proxy/upstream/upstream.js'
import type { Tokens } from '../../../proxy/upstream/usage.js'
import { type Verdict, verdictHeaders } from '../../../proxy/verdict.js'
import type { Span } from '../../../tracing/span.js'
import { linger } from '../../plugins/connection/lingering-close.js'
import { deadlineOf } from '../../plugins/deadline.js'
import { spanOf } from '../../plugins/tracing.js'

/** Is told what the proxy did, for the metrics. */
export interface ProxyObserver {
  onVerdict(verdict: Verdict): void
  /** A question about an image came, and whether its outcome was remembered. */
  onLookup(found: boolean): void
  /** An image was fetched from its link, in so many milliseconds. */
  onFetched(ms: number): void
  /** A target has answered. @param tokens null where it told none. */
  onReply(verdict: Verdict, tokens: Tokens | null): void
}

/** What the routes of the proxy stand on. */
export interface ProxyParts extends Parts {
  sender: Sender
  observer: ProxyObserver
}

/** The same, for one request. */
export function ofOneRequest(proxy: ProxyParts): ProxyParts {
  const { finder } = proxy
  return { ...proxy, finder: { ...finder, images: fetchingOnce(finder.images) } }
}

/** Counts a verdict, logs what failed, and has the reply carry it, an error too. */
export function tell({ observer }: ProxyParts, verdict: Verdict, request: FastifyRequest, reply: FastifyReply): void {
  observer.onVerdict(verdict)
  for (const { error } of verdict.failures) {
    const line = { code: error.code, reason: error.message }
    if (error.code === 'internal_error') request.log.error({ ...line, err: error }, 'no crop was found')
    else request.log.info(line, 'no crop was found')
  }
  reply.headers(verdictHeaders(verdict))
}

/** An upstream's reply, on its way to the caller. */
export interface Answered {
  upstream: Upstream
  reply: UpstreamReply
  /** Of the call; it ends with the reply's last byte. */
  span: Span
}

/** How much longer than an upstream may be silent a client's connection may be. */
const QUIET_MS = 10_000

const MAX_LISTENERS = 20

/** What is known of a call beside its bytes. */
interface About {
  /** The model that a chat request asks for, if that was looked at; null where it is no chat request. */
  chat: { model: string | null } | null
  /** Whether `body` is no longer in the coding that the request names. Default: false. */
  isUnpacked?: boolean
}

/**
 * Sends a request on.
 * @throws CropVlmError not_found, target_failed, target_timeout, request_aborted
 */
export async function send(
  { config, sender }: Pick<ProxyParts, 'config' | 'sender'>,
  request: FastifyRequest,
  upstream: Upstream,
  body: Buffer | Readable | null,
  { chat, isUnpacked = false }: About,
): Promise<Answered> {
  const { method = 'GET', rawHeaders, headers, url = '' } = request.raw
  const { proxyFirstByteTimeoutMs: firstByteMs } = config
  // between two bytes of the upstream the connection is as quiet as that
  request.raw.setTimeout(Math.max(firstByteMs, upstream.timeoutMs) + QUIET_MS)
  const call = { method, rawHeaders, headers, path: url }
  const { signal } = deadlineOf(request)
  const span = upstreamSpan(request, upstream, chat)
  try {
    const hasOwnKey = config.apiKeys.length > 0
    const reply = await sendOn(sender, {
      upstream,
      request: call,
      body,
      isUnpacked,
      hasOwnKey,
      about: span.headers,
      firstByteMs,
      signal,
    })
    span.answered(reply.status)
    return { upstream, reply, span }
  } catch (error) {
    span.fail(error)
    span.end()
    throw error
  }
}

/** How passing a reply on ended. */
export interface Passed {
  /** null where the upstream told none. */
  tokens: Tokens | null
  /** Why it was cut off; null where it came whole. */
  error: CropVlmError | null
}

/** Passes an upstream's reply on, byte for byte, with what `tell` has set. */
export async function pass(
  { reply: answered, span }: Answered,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Passed> {
  reply.hijack()
  // the plugins listen for its end too, each for a reason of its own
  reply.raw.setMaxListeners(MAX_LISTENERS)
  linger(request, reply)
  let endedAt: number | undefined
  answered.body.once('end', () => {
    endedAt = performance.now()
  })
  const ours = oursOf(reply)
  if (request.server.closesAfter(request)) reply.raw.shouldKeepAlive = false
  try {
    const tokens = await passOn(answered, reply.raw, ours, deadlineOf(request).signal)
    span.set({ 'gen_ai.usage.input_tokens': tokens?.prompt, 'gen_ai.usage.output_tokens': tokens?.completion })
    return { tokens, error: null }
  } catch (thrown) {
    span.fail(thrown)
    spanOf(request).fail(thrown)
    // the status is out: the client sees the connection end, and the log says why
    const error = CropVlmError.from(thrown)
    const { code, message } = error
    request.log[code === 'request_aborted' ? 'debug' : 'warn']({ code, reason: message }, 'reply cut off')
    return { tokens: null, error }
  } finally {
    span.end(endedAt)
  }
}

/** What this service adds: what `tell` has set, the request's id, and which pages of other origins may read the reply. */
function oursOf(reply: FastifyReply): Record<string, string> {
  const ours: Record<string, string> = {}
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (name.startsWith('x-') || name === 'vary' || isCors(name)) ours[name] = String(value)
  return ours
}

/** Longest name of a model that a span tells: a caller may write anything. */
const MAX_MODEL = 128

function upstreamSpan(request: FastifyRequest, upstream: Upstream, chat: { model: string | null } | null): Span {
  const model = chat?.model?.slice(0, MAX_MODEL)
  const span = spanOf(request).child(chat ? (model === undefined ? 'chat' : `chat ${model}`) : request.method, {
    kind: 'client',
  })
  if (!span.ids) return span
  const { hostname, port, protocol } = new URL(upstream.baseUrl)
  span.set({
    'http.request.method': request.method,
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
    'cropvlm.role': 'target',
    'cropvlm.target': upstream.name,
    ...(chat ? { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': model } : {}),
  })
  return span
}
