/** What keeps a connection to an endpoint from being made, where the network tells it. */

const NOT_FOUND = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NONAME', 'EAI_NODATA'])
const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'
const OUT_OF_DATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])
/** As OpenSSL names what it finds wrong with a certificate (its X509_V_ERR_...). */
const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/
const NO_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO'])

/**
 * Why no connection could be made and what to do about it, to follow "The connection to the target failed: "; null where
 * it is not told, as where nobody listens.
 * @param option The variable that holds the endpoint's address.
 * @param proxied The endpoint's address, where calls may go through a proxy.
 */
export function connectionProblem(error: unknown, option: string, proxied?: URL): string | null {
  const { codes, texts, places } = causesOf(error)
  const has = (known: ReadonlySet<string>) => codes.some(code => known.has(code))
  if (texts.some(text => /when HTTP Tunneling|Proxy Authentication/.test(text)))
    return 'the proxy that HTTPS_PROXY or HTTP_PROXY names refused it; check the proxy, or except the host in NO_PROXY.'
  if (proxied && places.some(place => isElsewhere(place, proxied)))
    return 'the proxy that HTTPS_PROXY or HTTP_PROXY names cannot be reached; check its address, or except the host in NO_PROXY.'
  if (has(NOT_FOUND)) return `the name of its host is not found; check ${option} and the DNS.`
  if (codes.includes(WRONG_NAME)) return `its certificate is for another name; check ${option}.`
  if (has(OUT_OF_DATE)) return 'its certificate has expired or is not valid yet; renew it, or set the clock right.'
  if (codes.some(code => UNTRUSTED.test(code)))
    return 'its certificate is not trusted; set NODE_EXTRA_CA_CERTS to a PEM file with the certificate of its authority (or its own, if it signed itself), and start the service anew.'
  if (codes.some(code => code.startsWith('HPE_')))
    return `what answers there speaks no HTTP/1.1; check ${option}, which may have to begin with https:// instead of http://.`
  if (has(NO_TLS)) return `it does not speak TLS; ${option} may have to begin with http:// instead of https://.`
  return null
}

/** What could not be reached: a name that was not found, or a port that nobody listens at. */
interface Place {
  hostname: unknown
  port: unknown
}

function isElsewhere({ hostname, port }: Place, { hostname: own, port: written, protocol }: URL): boolean {
  const ownPort = Number(written || (protocol === 'https:' ? 443 : 80))
  return (typeof hostname === 'string' && hostname !== own) || (typeof port === 'number' && port !== ownPort)
}

/** The codes and texts of an error and of all that caused it, and the places that it names. */
function causesOf(error: unknown): { codes: string[]; texts: string[]; places: Place[] } {
  const [codes, texts, places]: [string[], string[], Place[]] = [[], [], []]
  const seen = new Set<unknown>()
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null || seen.has(one)) return
    seen.add(one)
    const { code, message, cause, errors, hostname, port } = one as Record<string, unknown>
    if (typeof code === 'string') codes.push(code)
    if (typeof message === 'string') texts.push(message)
    places.push({ hostname, port })
    visit(cause)
    if (Array.isArray(errors)) errors.forEach(visit)
  }
  visit(error)
  return { codes, texts, places }
}
