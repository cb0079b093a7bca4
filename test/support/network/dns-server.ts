/** A DNS server on loopback that answers as a test tells it, for Node's own resolver to ask (RFC 1035, section 4). */
import { createSocket } from 'node:dgram'
import { promises as dns } from 'node:dns'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/**
 * What a name has: IPv4 and IPv6 addresses, which are sorted out by the question; `null`: there is no such name; `silence`: no
 * reply; `failure`: the server cannot tell.
 */
export type Answer = readonly string[] | null | 'silence' | 'failure'

export interface DnsServer {
  /** Asks this server alone. */
  resolver: dns.Resolver
  /** The IPv4 questions so far, by name. */
  asked: string[]
}

const A = 1
const AAAA = 28
const RCODE = { ok: 0, failure: 2, noSuchName: 3 }

/** @param zone What a name has. `nth` counts the questions for its IPv4 addresses from 0; IPv6 is asked for in between. */
export async function startDns(
  t: Pick<Test, 'teardown'>,
  zone: (name: string, nth: number) => Answer,
): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = question(query)
    if (type === A) asked.push(name)
    const nth = Math.max(0, asked.filter(other => other === name).length - 1)
    const answer = zone(name, nth)
    if (answer !== 'silence') socket.send(reply(query.subarray(0, end), type, answer), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const resolver = new dns.Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`])
  t.teardown(() => {
    resolver.cancel()
    socket.close()
  })
  return { resolver, asked }
}

function question(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function reply(query: Buffer, type: number, answer: Exclude<Answer, 'silence'>): Buffer {
  const records = Array.isArray(answer)
    ? answer.filter(address => (type === A && !address.includes(':')) || (type === AAAA && address.includes(':')))
    : []
  const header = Buffer.from(query)
  const rcode = answer === 'failure' ? RCODE.failure : answer === null ? RCODE.noSuchName : RCODE.ok
  header.writeUInt16BE(0x8180 | rcode, 2)
  header.writeUInt16BE(records.length, 6)
  // a record has no others behind it
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, ...records.map(address => record(type, address))])
}

function record(type: number, address: string): Buffer {
  const bytes = type === A ? Buffer.from(address.split('.').map(Number)) : ipv6(address)
  const head = Buffer.alloc(12)
  // the name: the question's
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(bytes.length, 10)
  return Buffer.concat([head, bytes])
}

/** The 16 bytes of an address of hexadecimal groups with at most one `::`. */
function ipv6(address: string): Buffer {
  const [front = '', back = ''] = address.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)))
  const [first, last] = [groups(front), groups(back)]
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
  return Buffer.from(all.flatMap(group => [group >> 8, group & 0xff]))
}
