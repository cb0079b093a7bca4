/**
 * Links against a real DNS server and real HTTP servers. Of loopback's addresses, 127.0.0.1 stands for the internet here;
 * every other, 127.0.0.2 too, is as private as it is outside of these tests.
 */
import type { RequestListener, ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import type { CropVlmError } from '../../src/errors.js'
import { isPublicAddress } from '../../src/links/address.js'
import { type ImageLinks, imageLinks } from '../../src/links/links.js'
import { type Answer, startDns } from '../support/network/dns-server.js'

export const FILE = Buffer.from('the file')
export const isAllowedAddress = (address: string) => address === '127.0.0.1' || isPublicAddress(address)

interface Setup {
  hosts?: string
  env?: Record<string, string>
  zone?: (name: string, nth: number) => Answer
  ca?: string
}

/** Links whose names are looked up in `zone`: by default every name is 127.0.0.1's. */
export async function setUp(t: Test, { hosts = '*', env = {}, zone = () => ['127.0.0.1'], ca }: Setup = {}) {
  const dns = await startDns(t, zone)
  const config = readConfig({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: hosts, IMAGE_URL_TIMEOUT_MS: '60000', ...env })
  const links = imageLinks(config, { resolver: dns.resolver, isAllowedAddress, ...(ca === undefined ? {} : { ca }) })
  return { links, asked: dns.asked }
}

export const fetched = (
  links: ImageLinks,
  link: string,
  patience = { signal: AbortSignal.timeout(60_000), deadline: Number.POSITIVE_INFINITY },
) => links.fetch(link, patience)

/** The error that a fetch ends with. */
export async function refused(
  links: ImageLinks,
  link: string,
  patience?: Parameters<ImageLinks['fetch']>[1],
): Promise<CropVlmError> {
  const outcome = await fetched(links, link, patience).then(
    bytes => new Error(`this was fetched: ${bytes}`),
    error => error as CropVlmError,
  )
  // no message tells where names lead
  t.notMatch(outcome.message, /127\.|169\.254|10\.0|::/)
  return outcome as CropVlmError
}

export const giveFile: RequestListener = (_request, reply) => void reply.end(FILE)
export const redirect = (reply: ServerResponse, location: string, status = 302) =>
  void reply.writeHead(status, { location }).end('elsewhere')
