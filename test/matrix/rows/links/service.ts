/** A service that fetches links, with an internet on loopback. */
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { ROOT } from '../../../../bench/root.js'
import { type Answer, startDns } from '../../../support/network/dns-server.js'
import { type ImageHost, startImageHost } from '../../../support/network/image-host.js'
import { QUESTION, type Reply } from '../../world/client.js'
import type { Service } from '../../world/service.js'
import type { World } from '../../world/world.js'

export interface LinkWorld {
  service: Service
  /** A host of the internet. */
  host: ImageHost
  /** A host behind the firewall, at 127.0.0.2 and the same port. */
  inner: ImageHost
  /** Asks for a box of the picture behind a link. `%` in it stands for the port of both hosts. */
  ask: (link: string) => Promise<Reply>
}

interface Setup {
  answer: RequestListener
  /** What a name has. `nth` counts how often it has been asked for, from 0. Default: 127.0.0.1, which is the internet. */
  zone?: (name: string, nth: number) => Answer
  env?: Record<string, string>
}

export async function linkWorld(
  world: World,
  { answer, zone = () => ['127.0.0.1'], env = {} }: Setup,
): Promise<LinkWorld> {
  const host = await startImageHost(world, answer)
  const inner = await startImageHost(world, answer, { address: '127.0.0.2', port: host.port })
  const { resolver } = await startDns(world, zone)
  const [server = ''] = resolver.getServers()
  const hosts = { IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*:${host.port}`, ...env }
  const program = [join(ROOT, 'test/matrix/world/internet.mjs'), world.compiled, server]
  const service = await world.start(hosts, { program })
  const ask = (link: string) => service.json({ image: link.replace('%', String(host.port)), question: QUESTION })
  return { service, host, inner, ask }
}
