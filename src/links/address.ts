import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** 2000::/3, all of IPv6 that has been given out for hosts of the internet (IANA, "IPv6 Global Unicast Address Assignments"). */
const GLOBAL_UNICAST: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Whether an address belongs to a host of the public internet. Everything with a special use is none: private, loopback,
 * link-local (where clouds keep their metadata), carrier-grade NAT, multicast, reserved, documentation; and in IPv6 the
 * addresses that stand for an IPv4 one (mapped, NAT64, 6to4, Teredo), since what they lead to is up to the network.
 * @param text An IPv4 or IPv6 address, as `net.isIP` takes it.
 */
export function isPublicAddress(text: string): boolean {
  // the library would take parts of an address too
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  return address instanceof ipaddr.IPv4 || address.match(GLOBAL_UNICAST)
}
