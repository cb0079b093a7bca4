/** The connections to upstreams, kept between requests: direct, or through the proxies that the environment names. */
import { type ClientRequest, Agent as HttpAgent, type AgentOptions as HttpAgentOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { type ProxyConfig, proxyFor } from '../../config/endpoint/proxies.js'
import { CropVlmError } from '../../errors.js'

/** How a request reaches its upstream. */
export interface Route {
  agent: HttpAgent
  /** Whether a proxy lies between. */
  proxied: boolean
  /** Whether the agent writes the head of the request itself, and so needs its headers one by one. */
  rewritesHead: boolean
}

export interface Agents {
  /** @throws CropVlmError target_failed where the proxy for this address is one of SOCKS */
  routeTo(url: URL): Route
  close(): void
}

/** Servers commonly close a connection that has been idle for 5 s; ours are closed a little earlier. */
const IDLE_MS = 4000

const OPTIONS: HttpAgentOptions = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: 1024 }

/** @param ca What else to trust than what Node trusts, in PEM, for tests. */
export function makeAgents(proxies: ProxyConfig, ca?: string | Buffer): Agents {
  const tls = ca === undefined ? {} : { ca }
  const direct = { 'http:': new HttpAgent(OPTIONS), 'https:': new HttpsAgent({ ...OPTIONS, ...tls }) }
  const through = { 'http:': httpProxy(proxies.httpProxy), 'https:': httpsProxy(proxies.httpsProxy, tls) }
  return {
    routeTo(url) {
      const scheme = url.protocol === 'https:' ? 'https:' : 'http:'
      const proxy = proxyFor(url, proxies)
      if (proxy === null) return { agent: direct[scheme], proxied: false, rewritesHead: false }
      const agent = through[scheme]
      if (!agent) throw noSocks()
      return { agent, proxied: true, rewritesHead: scheme === 'http:' }
    },
    close() {
      for (const agent of [...Object.values(direct), ...Object.values(through)]) agent?.destroy()
    },
  }
}

/** Asks the proxy for whole URLs: proxies commonly allow tunnels to port 443 only. null: there is none, or none that it can use. */
function httpProxy(proxy: string): HttpAgent | null {
  return isHttp(proxy) ? new HttpProxyAgent(proxy, OPTIONS) : null
}

/** Has the proxy open tunnels. */
function httpsProxy(proxy: string, tls: { ca?: string | Buffer }): HttpAgent | null {
  if (!isHttp(proxy)) return null
  const agent = new HttpsProxyAgent(proxy, { ...OPTIONS, ...tls })
  // it keeps none of them for the connections through its tunnels (9.1)
  Object.assign(agent.options, { timeout: IDLE_MS, ...tls })
  agent.on('proxyConnect', ({ statusCode }: { statusCode: number }, request: ClientRequest) => {
    // the agent would give the proxy's refusal as the upstream's reply
    if (statusCode !== 200) request.destroy(new ProxyRefusal(statusCode))
  })
  return agent
}

/** A proxy has refused a request, or its tunnel. The text is undici's, which `connectionProblem` knows. */
export class ProxyRefusal extends Error {
  constructor(status: number) {
    super(`Proxy response (${status}) !== 200 when HTTP Tunneling`)
  }
}

function isHttp(proxy: string): boolean {
  return /^https?:/.test(proxy)
}

function noSocks(): CropVlmError {
  return new CropVlmError(
    'target_failed',
    'The connection to the target failed: requests under /v1 cannot go through a SOCKS proxy; name an HTTP proxy in HTTPS_PROXY or HTTP_PROXY, or except the host in NO_PROXY.',
    { details: { status: null } },
  )
}
