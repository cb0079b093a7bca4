/** One fetch: redirects checked one by one, the file bounded while it is read. */
import { type Dispatcher, request } from 'undici'
import type { HostRule } from '../config/image-urls.js'
import { VERSION } from '../version.js'
import { NotPublic } from './connect.js'
import { failed, invalidLink, notAllowed, tooLarge } from './errors.js'
import { checkLink } from './rules.js'

const MAX_REDIRECTS = 3
const REDIRECTS = [301, 302, 303, 307, 308]

const HEADERS = {
  accept: 'image/jpeg, image/png, image/webp',
  // a small reply is not to become a large one
  'accept-encoding': 'identity',
  'user-agent': `cropvlm/${VERSION}`,
}

export interface FetchOptions {
  hosts: readonly HostRule[]
  maxBytes: number
  dispatcher: Dispatcher
  signal: AbortSignal
}

/**
 * The file behind a link.
 * @param from The link that redirects to this one, the last of `hop` redirects.
 * @throws CropVlmError invalid_url, url_not_allowed, url_failed, body_too_large; and what undici throws
 */
export async function fetchLink(link: string, options: FetchOptions, hop = 0, from?: URL): Promise<Buffer> {
  const { hosts, maxBytes, dispatcher, signal } = options
  const checked = checkLink(link, hosts, from)
  if (!checked.url) {
    // of a redirect the caller is not told more than that it leads nowhere good
    throw checked.isInvalid && hop === 0 ? invalidLink(checked.refusal) : notAllowed(checked.refusal, hop)
  }
  const { url } = checked
  const reply = await request(url, { dispatcher, signal, headers: HEADERS }).catch(error => {
    throw error instanceof NotPublic ? notAllowed('its host has no address on the public internet', hop) : error
  })
  const { location } = reply.headers
  if (!REDIRECTS.includes(reply.statusCode) || typeof location !== 'string') return await readFile(reply, maxBytes)
  discard(reply)
  if (hop === MAX_REDIRECTS) throw failed(`it redirects more than ${MAX_REDIRECTS} times`)
  return await fetchLink(location, options, hop + 1, url)
}

/** @throws CropVlmError url_failed, body_too_large */
async function readFile(reply: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
  try {
    const { statusCode, headers, body } = reply
    if (statusCode !== 200) throw failed(`its host answers with status ${statusCode}`, { status: statusCode })
    if (!['', 'identity'].includes(String(headers['content-encoding'] ?? '').toLowerCase()))
      throw failed('its host sends it compressed')
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
    return await readAll(body, maxBytes)
  } finally {
    discard(reply)
  }
}

/** What is left of a reply is not read. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => {}).destroy()
}

/** @throws CropVlmError body_too_large */
async function readAll(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
