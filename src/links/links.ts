/** Fetches images that are given as links, under rules that keep strangers out of the network that this service runs in. */
import { promises as dns } from 'node:dns'
import { Agent, errors } from 'undici'
import type { Config } from '../config/service.js'
import type { Patience } from '../engine/engine.js'
import { CropVlmError } from '../errors.js'
import { type Attributes, within } from '../tracing/span.js'
import { isPublicAddress } from './address.js'
import { checkedConnector, type Resolver } from './connect.js'
import { failed, linksAreOff, timedOut, tooLate, tooMany } from './errors.js'
import { fetchLink } from './fetch.js'

export interface ImageLinks {
  /**
   * The file behind an http or https link. What it holds is not looked at.
   * @throws CropVlmError url_not_allowed (always, where IMAGE_URLS is off), invalid_url, url_failed, url_timeout,
   *   body_too_large, queue_full, deadline_exceeded, request_aborted
   */
  fetch(link: string, patience: Patience): Promise<Buffer>
}

/** What tests set in the place of the internet. No variable of the environment sets it. */
export interface Internet {
  resolver: Resolver
  isAllowedAddress: (address: string) => boolean
  /** What else to trust, in PEM. */
  ca?: string
}

type LinkConfig = Pick<Config, 'imageUrls' | 'maxBodyBytes' | 'queueSize'>

/**
 * As many files may be on their way at once as may wait for the engine (`queueSize`): one more is refused, because each may
 * take `maxBodyBytes` of memory. Connections are made by no proxy, whatever HTTP_PROXY says: it would look up the
 * names itself.
 */
export function imageLinks(
  { imageUrls, maxBodyBytes: maxBytes, queueSize }: LinkConfig,
  { resolver, isAllowedAddress, ca }: Internet = publicInternet(),
): ImageLinks {
  if (!imageUrls) return { fetch: async () => Promise.reject(linksAreOff()) }
  const { hosts, timeoutMs } = imageUrls
  const connect = checkedConnector(resolver, isAllowedAddress, timeoutMs, ca)
  let running = 0
  return {
    fetch: (link, patience) =>
      within(patience.span, 'fetch image', { kind: 'client', attributes: attributesOf(link) }, async span => {
        const file = await fetchFile(link, patience)
        span.set({ 'http.response.body.size': file.length })
        return file
      }),
  }

  async function fetchFile(link: string, { signal: abandoned, deadline }: Patience): Promise<Buffer> {
    if (running >= queueSize) throw tooMany()
    // an own one, so that nothing of a fetch outlives it
    const dispatcher = new Agent({ connect, headersTimeout: 0, bodyTimeout: 0 })
    const left = Math.max(0, deadline - Date.now())
    const timeout = AbortSignal.timeout(Math.min(timeoutMs, left))
    const signal = AbortSignal.any([abandoned, timeout])
    // a request that still waits for its connection does not see its signal
    const stop = () => void dispatcher.destroy(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    running += 1
    try {
      signal.throwIfAborted()
      return await fetchLink(link, { hosts, maxBytes, dispatcher, signal })
    } catch (error) {
      if (abandoned.aborted) throw abandoned.reason
      if (timeout.aborted) throw left <= timeoutMs ? tooLate() : timedOut(timeoutMs)
      throw toCoded(error, timeoutMs)
    } finally {
      running -= 1
      signal.removeEventListener('abort', stop)
      await dispatcher.destroy()
    }
  }
}

/** Of a link a span tells the host alone: what follows may be signed. */
function attributesOf(link: string): Attributes {
  return {
    'http.request.method': 'GET',
    'server.address': URL.canParse(link) ? new URL(link).hostname : undefined,
  }
}

function publicInternet(): Internet {
  // by DNS itself: getaddrinfo would keep one of Node's few threads for as long as a name server likes
  return { resolver: new dns.Resolver({ timeout: 2000, tries: 2 }), isAllowedAddress: isPublicAddress }
}

function toCoded(error: unknown, timeoutMs: number): CropVlmError {
  if (error instanceof CropVlmError) return error
  if (error instanceof errors.ConnectTimeoutError) return timedOut(timeoutMs)
  return failed('its host cannot be reached, or breaks off', { cause: error })
}
