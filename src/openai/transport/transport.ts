/** How calls reach an endpoint: its query, and the proxies. */
import OpenAI from 'openai'
import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici'
import { tolerantFetch } from '../reply/tolerant-fetch.js'

/** The proxies that the environment names; empty: none. */
export interface Proxies {
  /** URLs, for endpoints whose own URL begins with http or https. */
  readonly httpProxy: string
  readonly httpsProxy: string
  /** Hosts that are reached without, as `NO_PROXY` has them. */
  readonly noProxy: string
}

/** Where an endpoint is, and what each call to it carries. */
export interface Address {
  /** Up to and with `/v1`, without a query. */
  readonly baseUrl: string
  /** The query of each call; empty: none. Default: none. */
  readonly query?: string
  readonly apiKey: string | null
  /** Further headers. Default: none. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: none. */
  readonly proxies?: Proxies
}

/** @param timeoutMs How long the library waits for the headers of a reply. */
export function openAiClient(
  { baseUrl, query = '', apiKey, headers = {}, proxies }: Address,
  timeoutMs: number,
): OpenAI {
  return new OpenAI({
    baseURL: baseUrl,
    // the library would read these from the environment if they were left out
    apiKey: apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    defaultHeaders: { ...(apiKey === null ? { authorization: null } : {}), ...headers },
    fetch: tolerantFetch(fetchThrough(dispatcher(baseUrl, proxies), query)),
    // at its level debug the library prints whole requests; its own retries wait for as long as a Retry-After says
    logLevel: 'off',
    maxRetries: 0,
    timeout: timeoutMs,
  })
}

/**
 * The proxy is chosen by the endpoint's own scheme, as curl does it (undici would send https through HTTP_PROXY as well),
 * and plain http is not tunnelled, because proxies allow tunnels to port 443 only.
 */
function dispatcher(baseUrl: string, proxies: Proxies = { httpProxy: '', httpsProxy: '', noProxy: '' }) {
  const proxy = baseUrl.startsWith('https:') ? proxies.httpsProxy : proxies.httpProxy
  return new EnvHttpProxyAgent({
    // an empty text keeps undici from reading the environment itself
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: proxies.noProxy,
    proxyTunnel: false,
    // calls have timers of their own
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** Node 20's own fetch knows no proxies, and takes no dispatcher of a newer undici: so undici's own is used everywhere. */
function fetchThrough(agent: EnvHttpProxyAgent, query: string): typeof fetch {
  const call = (url: string | URL | Request, init?: RequestInit) => {
    const address = new URL(url instanceof Request ? url.url : url)
    // the library would lose the second of two values of one name
    if (query !== '') address.search = query
    return undiciFetch(address, { ...(init as Parameters<typeof undiciFetch>[1]), dispatcher: agent })
  }
  return call as unknown as typeof fetch
}
