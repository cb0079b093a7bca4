/** Whether images are fetched from links, and from which hosts. The rules themselves are kept by `src/links/`. */
import { isIP } from 'node:net'
import { Type } from '@sinclair/typebox'
import { Choice, OrNull } from './schema.js'
import { type Env, variableReader } from './variables.js'

/** An entry of `IMAGE_URL_HOSTS`. */
export interface HostRule {
  /** As `URL` writes host names: lower case, punycode, no dot at the end; '' stands for every host. */
  readonly name: string
  /** Whether the hosts below `name` are meant, and not `name` itself. */
  readonly below: boolean
  /** The only port that the entry allows; null: the scheme's own, 80 or 443. */
  readonly port: number | null
}

export interface ImageUrlsConfig {
  /** Never empty. */
  readonly hosts: readonly HostRule[]
  /** For the whole of one fetch, redirects included. */
  readonly timeoutMs: number
}

export const IMAGE_URL_VARIABLES = {
  mode: Choice(['off', 'allow'], {
    env: 'IMAGE_URLS',
    default: 'off',
    description: 'allow fetches an image that a request names by an http or https link, from IMAGE_URL_HOSTS alone.',
  }),
  hosts: OrNull(
    Type.String({
      env: 'IMAGE_URL_HOSTS',
      description:
        'Hosts from which images may be fetched, comma-separated: cdn.example.com, *.example.com (every host below it), images.example.com:8443 (that port alone), or * for every host. Whatever stands here, only public addresses are connected to.',
    }),
  ),
  timeoutMs: Type.Integer({
    env: 'IMAGE_URL_TIMEOUT_MS',
    default: 10_000,
    minimum: 100,
    maximum: 600_000,
    unit: 'ms',
    description: 'How long it may take to fetch one image, redirects included.',
  }),
}

const readSettings = variableReader(IMAGE_URL_VARIABLES)

/** null where no image is fetched. What is wrong is added to `problems`. */
export function readImageUrls(env: Env, problems: string[]): ImageUrlsConfig | null {
  const { mode, hosts = null, timeoutMs } = readSettings(env, problems)
  const entries = (hosts ?? '').split(',').flatMap(entry => entry.trim() || [])
  const rules = entries.map(entry => hostRule(entry) ?? entry)
  const wrong = rules.filter(rule => typeof rule === 'string')
  for (const entry of wrong)
    problems.push(
      `IMAGE_URL_HOSTS has ${JSON.stringify(entry)}; each entry must be a host without scheme and path, like cdn.example.com, *.example.com or images.example.com:8443, or * for every host.`,
    )
  if (mode === 'allow' && entries.length === 0)
    problems.push(
      'IMAGE_URLS is allow, but IMAGE_URL_HOSTS names no host; set it to the hosts that images may come from (cdn.example.com,*.example.org), or to * for every public host, or set IMAGE_URLS to off.',
    )
  // a wrong setting has been reported
  if (mode !== 'allow' || timeoutMs === undefined || wrong.length > 0 || rules.length === 0) return null
  return Object.freeze({ hosts: Object.freeze(rules as HostRule[]), timeoutMs })
}

const ENTRY = /^(?:(\*)|(\*\.)?([^\s*/?#@\\:[\]]+|\[[\da-f:.]+\]))(?::(\d{1,5}))?$/i

function hostRule(entry: string): HostRule | null {
  const [, all, wildcard, host = '', digits] = ENTRY.exec(entry) ?? []
  const port = digits === undefined ? null : Number(digits)
  if (port !== null && (port < 1 || port > 65_535)) return null
  if (all) return { name: '', below: true, port }
  if (host === '' || !URL.canParse(`http://${host}`)) return null
  const name = hostName(new URL(`http://${host}`))
  const below = wildcard !== undefined
  // there is nothing below an address
  if (name === '' || (below && isIP(name.replace(/^\[|\]$/g, '')) > 0)) return null
  return { name, below, port }
}

/** A URL's host as the rules have it. A dot at the end says only that the name is complete. */
export function hostName({ hostname }: URL): string {
  return hostname.replace(/\.$/, '')
}
