/**
 * Sends a request to an upstream, and gives its reply as bytes that are neither decoded nor held.
 *
 * Node's own client, not undici: undici up to 7.30 throws an error that nobody can catch, `assert(!this.paused)`, where an
 * upstream closes its connection while the client reads more slowly than the reply comes, and so ends the process
 * (nodejs/undici issue 5360). It is mended in undici 8, which needs Node 22.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ProxyConfig } from '../../config/endpoint/proxies.js'
import { CropVlmError } from '../../errors.js'
import { connectionProblem } from '../../openai/transport/connection.js'
import { type Agents, makeAgents, ProxyRefusal, type Route } from './agents.js'
import { byName } from './headers.js'

export interface UpstreamRequest {
  method: string
  url: URL
  /** Names and values in turn, without `Host`. */
  headers: readonly string[]
  body: Buffer | Readable | null
  /** Longest silence, in milliseconds. */
  timeouts: Timeouts
  /** Aborted when nobody waits any more. */
  signal: AbortSignal
}

export interface Timeouts {
  /** Until the first byte of the reply's body: without streaming, an upstream is silent until its whole answer is there. */
  firstByteMs: number
  /** Between two bytes of it. */
  betweenMs: number
}

export interface UpstreamReply {
  status: number
  statusText: string
  /** Names and values in turn, as they were sent. */
  headers: readonly string[]
  body: Readable
  /** Call when the first byte has come: the upstream may be silent for less from then on. */
  hasBegun(): void
}

export interface Sender {
  /** @throws CropVlmError target_failed, target_timeout, request_aborted */
  send(request: UpstreamRequest): Promise<UpstreamReply>
  close(): void
}

/**
 * Connections are kept between requests.
 * @param ca What else to trust than what Node trusts, in PEM, for tests.
 */
export function makeSender(proxies: ProxyConfig, ca?: string | Buffer): Sender {
  const agents = makeAgents(proxies, ca)
  return { send: request => send(request, agents), close: () => agents.close() }
}

async function send(request: UpstreamRequest, agents: Agents): Promise<UpstreamReply> {
  const { url } = request
  const route = agents.routeTo(url)
  try {
    const { response, hasBegun } = await attempt(request, url, route)
    const { statusCode = 502, statusMessage = '', rawHeaders } = response
    return { status: statusCode, statusText: statusMessage, headers: rawHeaders, body: response, hasBegun }
  } catch (error) {
    throw toCoded(error, request.signal, route.proxied ? url : undefined)
  }
}

type TimeoutOption = 'PROXY_FIRST_BYTE_TIMEOUT_MS' | 'TARGET_TIMEOUT_MS'

/** The upstream has been silent for too long. */
class SilenceError extends Error {
  constructor(
    readonly ms: number,
    readonly option: TimeoutOption,
  ) {
    super(`silent for ${ms} ms`)
  }
}

interface Attempt {
  response: IncomingMessage
  hasBegun(): void
}

/**
 * Asks once. A kept connection may have been closed by the other side just as it is used again, and then the request is
 * sent once more on a new one; a body that was a stream is gone by then.
 */
async function attempt(request: UpstreamRequest, url: URL, route: Route): Promise<Attempt> {
  const { method, body, signal } = request
  const { agent, rewritesHead } = route
  const list = ['Host', url.host, ...request.headers]
  const headers = rewritesHead ? byName(list) : list
  const outgoing = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, { method, headers, agent })
  const answered = answerOf(outgoing, signal, request.timeouts, route.proxied)
  const sent =
    body instanceof Readable ? pipeline(body, outgoing) : Promise.resolve(void outgoing.end(body ?? undefined))
  // an upstream may answer, and close, before it has read the body: only an error of the body itself counts
  const bodyError = sent.then(
    () => null,
    error => (error instanceof CropVlmError ? error : null),
  )
  try {
    const { response, hasBegun } = await answered
    outgoing.on('error', ignore)
    if (rewritesHead && response.statusCode === 407) {
      response.destroy()
      throw new ProxyRefusal(407)
    }
    return { response, hasBegun }
  } catch (error) {
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (!isStale || body instanceof Readable || signal.aborted) throw (await bodyError) ?? error
    return await attempt(request, url, route)
  }
}

/** The reply. A scope of its own, since what it keeps lives as long as the reply: the request's body must not. */
function answerOf(
  outgoing: ClientRequest,
  signal: AbortSignal,
  timeouts: Timeouts,
  proxied: boolean,
): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject)
    // one that still waits for a tunnel has no connection yet, and tells nothing
    const end = (error?: Error) => {
      outgoing.destroy(error)
      reject(error)
    }
    endWith(outgoing, signal, end)
    const hasBegun = limitSilence(outgoing, timeouts, end)
    if (proxied) limitConnecting(outgoing, timeouts.firstByteMs, end)
    outgoing.once('response', response => resolve({ response, hasBegun }))
  })
}

type End = (error?: Error) => void

/** As the option `signal` of Node's client does it, which watches the streams for much more than it needs. */
function endWith(outgoing: ClientRequest, signal: AbortSignal, end: End): void {
  const onAbort = () => end()
  if (signal.aborted) end()
  signal.addEventListener('abort', onAbort)
  outgoing.once('close', () => signal.removeEventListener('abort', onAbort))
}

/**
 * By the connection's own timer: that of the request (Node 24) tells of one silence only.
 * @returns what is to be called when the first byte of the reply's body has come
 */
function limitSilence(outgoing: ClientRequest, { firstByteMs, betweenMs }: Timeouts, end: End): () => void {
  let response: IncomingMessage | null = null
  let limit: { ms: number; option: TimeoutOption } = { ms: firstByteMs, option: 'PROXY_FIRST_BYTE_TIMEOUT_MS' }
  const onSilence = () => {
    const { ms, option } = limit
    // what waits for a slow client is not the upstream's silence
    if (response?.isPaused()) outgoing.socket?.setTimeout(ms)
    else if (response) response.destroy(new SilenceError(ms, option))
    else end(new SilenceError(ms, option))
  }
  outgoing
    .once('socket', socket => socket.setTimeout(limit.ms).on('timeout', onSilence))
    .once('response', reply => {
      response = reply
    })
    // the connection may go on to serve other requests
    .once('close', () => outgoing.socket?.off('timeout', onSilence))
  return () => {
    limit = { ms: betweenMs, option: 'TARGET_TIMEOUT_MS' }
    outgoing.socket?.setTimeout(betweenMs)
  }
}

/** Until the proxy has opened its tunnel. */
function limitConnecting(outgoing: ClientRequest, timeoutMs: number, end: End): void {
  const timer = setTimeout(() => end(new SilenceError(timeoutMs, 'PROXY_FIRST_BYTE_TIMEOUT_MS')), timeoutMs)
  outgoing.once('socket', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
}

/** What goes wrong after the reply's headers is told by the reply's own stream. */
function ignore(): void {}

/**
 * What went wrong with an upstream, before or while its reply came.
 * @param proxied The upstream's address, where a proxy lies between.
 */
export function toCoded(error: unknown, { aborted }: AbortSignal, proxied?: URL): CropVlmError {
  const cause = { cause: error }
  // of the body, which was too large
  if (error instanceof CropVlmError) return error
  if (aborted) return new CropVlmError('request_aborted', 'The client went away.', cause)
  if (error instanceof SilenceError)
    return new CropVlmError(
      'target_timeout',
      `The target sent nothing for ${error.ms} ms; if it may take longer, raise ${error.option}.`,
      cause,
    )
  const problem = connectionProblem(error, 'TARGET_BASE_URL', proxied) ?? 'it is down, or it hung up.'
  return new CropVlmError('target_failed', `The connection to the target failed: ${problem}`, {
    details: { status: null },
    ...cause,
  })
}
