/** Which links may be fetched, by what is written in them. The address behind the name is checked on connecting. */
import { type HostRule, hostName } from '../config/image-urls.js'

const MAX_LENGTH = 8192

/**
 * The URL of a link; or why it is not fetched, as the end of a sentence, and whether that is the link's own fault, whatever host
 * it names.
 */
export type Checked = { url: URL } | { url: null; refusal: string; isInvalid: boolean }

/**
 * Checks a link against the rules.
 * @param from The link that redirects to this one.
 */
export function checkLink(text: string, hosts: readonly HostRule[], from?: URL): Checked {
  if (text.length > MAX_LENGTH) return invalid(`it is longer than ${MAX_LENGTH} characters`)
  if (!URL.canParse(text, from?.href)) return invalid('it is no valid URL')
  const url = new URL(text, from?.href)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return notAllowed('it is neither http nor https')
  if (url.protocol === 'http:' && from?.protocol === 'https:') return notAllowed('it is http, after https')
  if (url.username || url.password) return invalid('it holds a user name or a password')
  const rules = hosts.filter(rule => isMeant(rule, hostName(url)))
  if (rules.length === 0) return notAllowed('its host is not one from which this service may fetch (IMAGE_URL_HOSTS)')
  // the scheme's own port is left out of a URL
  if (!rules.some(({ port }) => url.port === (port === null ? '' : String(port)) || isOwnPort(url, port)))
    return invalid('its port is not one from which this service may fetch (IMAGE_URL_HOSTS)')
  return { url }
}

function invalid(refusal: string): Checked {
  return { url: null, refusal, isInvalid: true }
}

function notAllowed(refusal: string): Checked {
  return { url: null, refusal, isInvalid: false }
}

function isMeant({ name, below }: HostRule, host: string): boolean {
  if (!below) return host === name
  return name === '' || host.endsWith(`.${name}`)
}

function isOwnPort({ port, protocol }: URL, wanted: number | null): boolean {
  return port === '' && wanted === (protocol === 'https:' ? 443 : 80)
}
