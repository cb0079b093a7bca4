/** Which proxies in front of this service are believed about who calls it. */
import { isIP } from 'node:net'
import { Type } from '@sinclair/typebox'
import { OrNull } from '../schema.js'

/** As Fastify's `trustProxy` takes it: all, so many of them, or those at these addresses. */
export type TrustedProxies = boolean | number | readonly string[]

/** Names that Fastify's `proxy-addr` knows for ranges of addresses. */
const NAMED = ['loopback', 'linklocal', 'uniquelocal']

export const TRUST_PROXY_VARIABLES = {
  trustProxy: OrNull(
    Type.String({
      env: 'TRUST_PROXY',
      description:
        "Proxies in front of this service whose X-Forwarded-For, -Host and -Proto say who calls (in the log and in traces): true for any, which is right only where callers cannot get past them; a number, how many stand in front; or their addresses and networks, separated by commas (10.0.0.0/8, loopback). off: the connection's own address counts.",
    }),
    'off',
  ),
}

/** What is wrong is added to `problems`. */
export function readTrustProxy(text: string | null, problems: string[]): TrustedProxies {
  if (text === null || /^(false|0)$/i.test(text)) return false
  if (/^(true|on)$/i.test(text)) return true
  if (/^\d{1,3}$/.test(text)) return Number(text)
  const entries = text.split(',').flatMap(entry => entry.trim() || [])
  const wrong = entries.filter(entry => !isNetwork(entry))
  for (const entry of entries.length === 0 ? [text] : wrong)
    problems.push(
      `TRUST_PROXY has ${JSON.stringify(entry)}; set it to true, to the number of proxies in front, to addresses and networks separated by commas (127.0.0.1, 10.0.0.0/8, ${NAMED.join(', ')}), or to off.`,
    )
  return wrong.length > 0 || entries.length === 0 ? false : entries
}

function isNetwork(entry: string): boolean {
  if (NAMED.includes(entry)) return true
  const [address = '', bits, ...more] = entry.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return (
    bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128))
  )
}
