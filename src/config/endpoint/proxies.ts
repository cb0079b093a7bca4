/** The proxies of the environment, by the variables that curl and others read as well. */
import type { Env } from '../variables.js'

/** URLs of proxies for endpoints by http and by https, and the hosts that need none; empty: none. */
export interface ProxyConfig {
  readonly httpProxy: string
  readonly httpsProxy: string
  readonly noProxy: string
}

/** What is wrong is added to `problems`; its value, which may hold a password, is not shown. */
export function readProxies(env: Env, problems: string[]): ProxyConfig {
  // small letters come first, and `proxy:3128` is as good as `http://proxy:3128`, as everywhere
  const text = (name: string) => (env[name.toLowerCase()] ?? env[name] ?? '').trim()
  const url = (name: string) => {
    const given = text(name)
    if (given === '') return ''
    const whole = given.includes('://') ? given : `http://${given}`
    if (isProxyUrl(whole)) return whole
    problems.push(
      `${name} is wrong (its value is not shown); set it to the URL of a proxy, like http://proxy:3128, or unset it.`,
    )
    return ''
  }
  return { httpProxy: url('HTTP_PROXY'), httpsProxy: url('HTTPS_PROXY'), noProxy: text('NO_PROXY') }
}

/**
 * The proxy through which an address is reached, as a URL; null: it is reached without one. The address's own scheme says
 * which proxy, as curl does it. An entry of `NO_PROXY` is a host with all hosts below it, with a port or without, as undici
 * reads it (`EnvHttpProxyAgent`, which other calls of endpoints use); `*` excepts all.
 */
export function proxyFor(
  { protocol, hostname, port }: URL,
  { httpProxy, httpsProxy, noProxy }: ProxyConfig,
): string | null {
  const isSecure = protocol === 'https:'
  const proxy = isSecure ? httpsProxy : httpProxy
  if (proxy === '' || noProxy === '*') return null
  const ownPort = port || (isSecure ? '443' : '80')
  const isExcepted = noProxy.split(/[,\s]+/).some(entry => {
    const [, host = entry, onPort = ownPort] = /^(.+):(\d+)$/.exec(entry) ?? []
    const name = host.replace(/^\*?\./, '').toLowerCase()
    return name !== '' && onPort === ownPort && (hostname === name || hostname.endsWith(`.${name}`))
  })
  return isExcepted ? null : proxy
}

/** The user and the password of a proxy are percent-encoded. */
function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return /^(https?|socks5?):$/.test(protocol) && isPercentEncoded(username + password)
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
