/** Sends one request of the client: with its key, within its time, again where it may, and with one kind of error. */
import { ClientError, replyError } from './error.js'

export interface SendOptions {
  /** Without a slash at its end. */
  baseUrl: string
  /** Sent with every request. */
  headers: Readonly<Record<string, string>>
  fetch: typeof fetch
  /** Milliseconds that each try may take. */
  timeoutMs: number
  /** How often a request is sent again that was refused with 429 or 503 and a `Retry-After`. */
  retries: number
  /** Longest `Retry-After` that is waited for, in milliseconds; a refusal that names a longer one is thrown. */
  maxRetryAfterMs: number
}

export interface Sent<Reply> {
  reply: Reply
  headers: Headers
}

/**
 * Sends a request until it is answered.
 * @throws ClientError with the service's code, or `unreachable`, `timeout`, `aborted`
 */
export async function send<Reply>(
  options: SendOptions,
  path: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<Sent<Reply>> {
  for (let left = options.retries; ; left -= 1) {
    try {
      return await once<Reply>(options, path, init, signal)
    } catch (error) {
      const waitMs = retryDelayMs(error)
      if (left <= 0 || waitMs === null || waitMs > options.maxRetryAfterMs) throw error
      await pause(waitMs, signal)
    }
  }
}

/** How long a refusal asks to wait; null where trying again makes no sense, or nothing is said of when. */
function retryDelayMs(error: unknown): number | null {
  if (!(error instanceof ClientError) || error.retryAfter === null) return null
  return error.status === 429 || error.status === 503 ? 1000 * error.retryAfter : null
}

async function once<Reply>(
  { baseUrl, headers, fetch: send, timeoutMs }: SendOptions,
  path: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<Sent<Reply>> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  try {
    const all = { ...headers, ...(init.headers as Record<string, string> | undefined) }
    const response = await send(`${baseUrl}${path}`, { ...init, headers: all, signal: either })
    const text = await response.text()
    if (!response.ok) throw replyError(response, text)
    return { reply: JSON.parse(text) as Reply, headers: response.headers }
  } catch (error) {
    if (error instanceof ClientError) throw error
    if (signal?.aborted) throw aborted(error)
    if (timeout.aborted)
      throw new ClientError('timeout', `No reply within ${timeoutMs} ms; see timeoutMs.`, { cause: error })
    if (error instanceof SyntaxError)
      throw new ClientError('unreachable', `${baseUrl} is no CropVLM service: its reply is not JSON.`, { cause: error })
    throw new ClientError('unreachable', `No service answers at ${baseUrl}: ${reason(error)}`, { cause: error })
  }
}

/** @throws ClientError aborted */
function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal.reason))
    const stop = () => {
      clearTimeout(timer)
      reject(aborted(signal?.reason))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

function aborted(cause: unknown): ClientError {
  return new ClientError('aborted', 'The request was aborted.', { cause })
}

function reason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
