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

/** Of a request also what is left to who sends it. */
const NOT_SENT_ON = new Set([...HOP_BY_HOP, 'host', 'content-length'])

/** How callers send a key: OpenAI's way and Anthropic's. */
const KEY_HEADERS = ['authorization', 'x-api-key']

export interface Keys {
  /** Whether this service has a key of its own, which callers give and the upstream must not see. */
  hasOwnKey: boolean
  /** The upstream's, if it is configured. */
  apiKey: string | null
  /** Names, in small letters, of headers that the upstream is sent another value of. Default: none. */
  replaced?: readonly string[]
}

/** The headers with which a request goes on. Its length and host are left to who sends it. */
export function requestHeaders(raw: readonly string[], keys: Keys): string[] {
  return flat(withKey(fieldsOf(raw, NOT_SENT_ON, keys.replaced), keys))
}

/**
 * The headers of an upstream's reply for the caller.
 * @param added What this service adds. Where it says which origins may read the reply, the upstream's word does not count.
 */
export function replyHeaders(raw: readonly string[], added: Readonly<Record<string, string>> = {}): string[] {
  const decidesOrigins = Object.keys(added).some(name => name === 'vary' || isCors(name))
  const fields = fieldsOf(raw, HOP_BY_HOP)
  return flat(decidesOrigins ? fields.filter(([lower]) => !isCors(lower)) : fields)
}

/** Whether a header says what pages of other origins may do. */
export function isCors(name: string): boolean {
  return name.startsWith('access-control-')
}

/** The value of a header; undefined where there is none. */
export function headerOf(raw: readonly string[], name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2)
    if (raw[i]?.length === name.length && raw[i]?.toLowerCase() === name) return raw[i + 1]
  return undefined
}

/** The same headers by name, in the form that Node writes them from itself: a name that comes again has a list of values. */
export function byName(raw: readonly string[]): Record<string, string | string[]> {
  const names = new Map<string, [name: string, values: string[]]>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const known = names.get(name.toLowerCase())
    if (known) known[1].push(raw[i + 1] ?? '')
    else names.set(name.toLowerCase(), [name, [raw[i + 1] ?? '']])
  }
  return Object.fromEntries(
    [...names.values()].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  )
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

/**
 * Those that go on. Loops, since this is done for each request and each reply.
 * @param left Names of those that do not.
 * @param replaced The same: a few of this request alone.
 */
function fieldsOf(raw: readonly string[], left: ReadonlySet<string>, replaced: readonly string[] = []): Field[] {
  const named = namedHops(raw)
  const fields: Field[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const lower = name.toLowerCase()
    const isLeft = left.has(lower) || replaced.includes(lower) || named.includes(lower) || isOurs(lower)
    if (!isLeft) fields.push([lower, name, raw[i + 1] ?? ''])
  }
  return fields
}

/** What `Connection` names. */
function namedHops(raw: readonly string[]): string[] {
  const names: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]?.length !== CONNECTION.length || raw[i]?.toLowerCase() !== CONNECTION) continue
    for (const name of (raw[i + 1] ?? '').split(',')) names.push(name.trim().toLowerCase())
  }
  return names
}

const CONNECTION = 'connection'

function flat(fields: readonly Field[]): string[] {
  const list: string[] = []
  for (const [, name, value] of fields) list.push(name, value)
  return list
}

function isOurs(name: string): boolean {
  return name.startsWith('x-cropvlm-')
}
