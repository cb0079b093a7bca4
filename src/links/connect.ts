/** Connections to public addresses alone. */
import type { promises as dns, LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector } from 'undici'

/** What looks names up: Node's `dns.promises.Resolver`. */
export type Resolver = Pick<dns.Resolver, 'resolve4' | 'resolve6'>

/** The host has an address that is not public, or none at all. Which of the two is not told: inner names are nobody's business. */
export class NotPublic extends Error {}

/** Errors of a resolver that say that a name has no address of the kind that was asked for. */
const NO_ADDRESS = ['ENOTFOUND', 'ENODATA']

/**
 * An undici connector that checks what it connects to: the address itself where the URL holds one, else every address of
 * the name. A name is looked up once for a connection, and the connection goes to what was checked, so that a name
 * whose address changes in between gains nothing.
 * @param timeoutMs For one connection. Whoever waits may give up sooner; then this ends what is still connecting.
 * @param ca What else to trust, in PEM; default: what Node trusts.
 */
export function checkedConnector(
  resolver: Resolver,
  isAllowed: (address: string) => boolean,
  timeoutMs: number,
  ca?: string,
): buildConnector.connector {
  const lookup: LookupFunction = (name, { all }, callback) => {
    checkedAddresses(name, resolver, isAllowed).then(
      addresses => {
        const [{ address, family }] = addresses
        if (all) callback(null, addresses)
        else callback(null, address, family)
      },
      error => callback(error, []),
    )
  }
  const connect = buildConnector({ lookup, timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) })
  return (options, callback) => {
    // for an address Node looks nothing up
    if (isIP(options.hostname) > 0 && !isAllowed(options.hostname)) callback(new NotPublic(), null)
    else connect(options, callback)
  }
}

/** @throws NotPublic, or the resolver's error */
async function checkedAddresses(
  name: string,
  resolver: Resolver,
  isAllowed: (address: string) => boolean,
): Promise<[LookupAddress, ...LookupAddress[]]> {
  const families = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  const [first, ...others] = families.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [] : outcome.value.map(address => ({ address, family: i === 0 ? 4 : 6 })),
  )
  if (!first) throw failureOf(families)
  const addresses: [LookupAddress, ...LookupAddress[]] = [first, ...others]
  if (!addresses.every(({ address }) => isAllowed(address))) throw new NotPublic()
  return addresses
}

function failureOf(outcomes: readonly PromiseSettledResult<unknown>[]): Error {
  const errors = outcomes.flatMap(outcome => (outcome.status === 'rejected' ? [outcome.reason] : []))
  return errors.find(({ code }) => !NO_ADDRESS.includes(code)) ?? new NotPublic()
}
