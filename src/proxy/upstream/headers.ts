/** Headers as lists of names and values in turn, the form in which Node gives and takes them as they are. */

/** Headers that are about one connection and are not passed on (RFC 9110, section 7.6.1), and `Expect`, which Node answers. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** How callers send a key: OpenAI's way and Anthropic's. */
const KEY_HEADERS = ['authorization', 'x-api-key']

export interface Keys {
  /** Whether this service has a key of its own, which callers give and the upstream must not see. */
  hasOwnKey: boolean
  /** The upstream's, if it is configured. */
  apiKey: string | null
  /** Names of headers that the upstream is sent another value of. Default: none. */
  replaced?: readonly string[]
}

/** The headers with which a request goes on. Its length and host are left to who sends it. */
export function requestHeaders(raw: readonly string[], keys: Keys): string[] {
  const left = new Set(['host', 'content-length', ...(keys.replaced ?? []).map(name => name.toLowerCase())])
  const given = withoutHops(raw).filter(([name]) => !isOurs(name) && !left.has(name))
  return withKey(given, keys).flatMap(([, name, value]) => [name, value])
}

/**
 * The headers of an upstream's reply for the caller.
 * @param added What this service adds. Where it says which origins may read the reply, the upstream's word does not count.
 */
export function replyHeaders(raw: readonly string[], added: Readonly<Record<string, string>> = {}): string[] {
  const decidesOrigins = Object.keys(added).some(name => name === 'vary' || isCors(name))
  return withoutHops(raw).flatMap(([lower, name, value]) =>
    isOurs(lower) || (decidesOrigins && isCors(lower)) ? [] : [name, value],
  )
}

/** Whether a header says what pages of other origins may do. */
export function isCors(name: string): boolean {
  return name.startsWith('access-control-')
}

/** The value of a header; undefined where there is none. */
export function headerOf(raw: readonly string[], name: string): string | undefined {
  return fieldsOf(raw).find(([lower]) => lower === name)?.[2]
}

type Field = [lower: string, name: string, value: string]

/** The caller's key is passed on, unless it is this service's own: then the upstream's stands for it, in the same form. */
function withKey(given: Field[], { hasOwnKey, apiKey }: Keys): Field[] {
  const sent = given.map(([name]) => name).filter(name => KEY_HEADERS.includes(name))
  const others = hasOwnKey ? given.filter(([name]) => !KEY_HEADERS.includes(name)) : given
  if (apiKey === null || (sent.length > 0 && !hasOwnKey)) return others
  const isBearer = !sent.includes('x-api-key') || sent.includes('authorization')
  return [...others, isBearer ? ['', 'authorization', `Bearer ${apiKey}`] : ['', 'x-api-key', apiKey]]
}

function withoutHops(raw: readonly string[]): Field[] {
  const fields = fieldsOf(raw)
  const named = fields
    .filter(([name]) => name === 'connection')
    .flatMap(([, , value]) => value.toLowerCase().split(','))
  const hops = new Set([...HOP_BY_HOP, ...named.map(name => name.trim())])
  return fields.filter(([name]) => !hops.has(name))
}

function fieldsOf(raw: readonly string[]): Field[] {
  return Array.from({ length: raw.length / 2 }, (_, i) => {
    const name = raw[2 * i] ?? ''
    return [name.toLowerCase(), name, raw[2 * i + 1] ?? '']
  })
}

function isOurs(name: string): boolean {
  return name.startsWith('x-cropvlm-')
}
