/**
 * Sends a request to an upstream, and gives its reply as bytes that are neither decoded nor held.
 *
 * Node's own client, not undici: undici up to 7.30 throws an error that nobody can catch, `assert(!this.paused)`, where an
 * upstream closes its connection while the client reads more slowly than the reply comes, and so ends the process
 * (nodejs/undici issue 5360). It is mended in undici 8, which needs Node 22.
 */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CropVlmError } from '../../errors.js'
import { connectionProblem } from '../../openai/transport/connection.js'

export interface UpstreamRequest {
  method: string
  url: string
  /** Names and values in turn, without `Host`. */
  headers: readonly string[]
  body: Buffer | Readable | null
  /** Longest wait for the reply's headers, and then for each of its bytes, in milliseconds. */
  timeoutMs: number
  /** Aborted when nobody waits any more. */
  signal: AbortSignal
}

export interface UpstreamReply {
  status: number
  statusText: string
  /** Names and values in turn, as they were sent. */
  headers: readonly string[]
  body: Readable
}

export interface Sender {
  /** @throws CropVlmError target_failed, target_timeout, request_aborted */
  send(request: UpstreamRequest): Promise<UpstreamReply>
  close(): void
}

/** Servers commonly close a connection that has been idle for 5 s; ours are closed a little earlier. */
const IDLE_MS = 4000

/** Connections are kept between requests. */
export function makeSender(): Sender {
  const options = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 1024 }
  const agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  return {
    send: request => send(request, agents),
    close: () => {
      for (const agent of Object.values(agents)) agent.destroy()
    },
  }
}

type Agents = Readonly<Record<'http:' | 'https:', HttpAgent>>

async function send(request: UpstreamRequest, agents: Agents): Promise<UpstreamReply> {
  try {
    const { response } = await attempt(request, agents)
    const { statusCode = 502, statusMessage = '', rawHeaders } = response
    return { status: statusCode, statusText: statusMessage, headers: rawHeaders, body: response }
  } catch (error) {
    throw toCoded(error, request.signal, request.timeoutMs)
  }
}

/** The upstream has been silent for too long. */
class SilenceError extends Error {}

/**
 * Asks once. A kept connection may have been closed by the other side just as it is used again, and then the request is
 * sent once more on a new one; a body that was a stream is gone by then.
 */
async function attempt(request: UpstreamRequest, agents: Agents): Promise<{ response: IncomingMessage }> {
  const { method, headers, body, signal } = request
  const url = new URL(request.url)
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  const options: RequestOptions = { method, headers: ['Host', url.host, ...headers], agent: agents[protocol] }
  const outgoing = (protocol === 'https:' ? httpsRequest : httpRequest)(url, options)
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve)
    outgoing.once('error', reject)
  })
  endWith(outgoing, signal)
  limitSilence(outgoing, request.timeoutMs)
  const sent =
    body instanceof Readable ? pipeline(body, outgoing) : Promise.resolve(void outgoing.end(body ?? undefined))
  // an upstream may answer, and close, before it has read the body: only an error of the body itself counts
  const bodyError = sent.then(
    () => null,
    error => (error instanceof CropVlmError ? error : null),
  )
  try {
    const response = await answered
    outgoing.on('error', ignore)
    return { response }
  } catch (error) {
    const isStale = outgoing.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (!isStale || body instanceof Readable || signal.aborted) throw (await bodyError) ?? error
    return await attempt(request, agents)
  }
}

/** As the option `signal` of Node's client does it, which watches the streams for much more than it needs. */
function endWith(outgoing: ClientRequest, signal: AbortSignal): void {
  const end = () => outgoing.destroy()
  if (signal.aborted) end()
  signal.addEventListener('abort', end)
  outgoing.once('close', () => signal.removeEventListener('abort', end))
}

/** It has a scope of its own, since what it keeps lives as long as the reply: the request's body must not. */
function limitSilence(outgoing: ClientRequest, timeoutMs: number): void {
  let response: IncomingMessage | null = null
  outgoing.once('response', reply => {
    response = reply
  })
  outgoing.setTimeout(timeoutMs, () => {
    // what waits for a slow client is not the upstream's silence
    if (response?.isPaused()) outgoing.setTimeout(timeoutMs)
    else (response ?? outgoing).destroy(new SilenceError())
  })
}

/** What goes wrong after the reply's headers is told by the reply's own stream. */
function ignore(): void {}

/** What went wrong with an upstream, before or while its reply came. */
export function toCoded(error: unknown, { aborted }: AbortSignal, timeoutMs: number): CropVlmError {
  const cause = { cause: error }
  // of the body, which was too large
  if (error instanceof CropVlmError) return error
  if (aborted) return new CropVlmError('request_aborted', 'The client went away.', cause)
  if (error instanceof SilenceError)
    return new CropVlmError(
      'target_timeout',
      `The target sent nothing for ${timeoutMs} ms; if it may take longer, raise TARGET_TIMEOUT_MS.`,
      cause,
    )
  const problem = connectionProblem(error, 'TARGET_BASE_URL') ?? 'it is down, or it hung up.'
  return new CropVlmError('target_failed', `The connection to the target failed: ${problem}`, {
    details: { status: null },
    ...cause,
  })
}
