/** HTTP servers on loopback that stand for hosts of images. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import type { Test } from 'tap'

export interface ImageHost {
  port: number
  /** Every request so far. */
  requests: IncomingMessage[]
  /** How many connections there have been. */
  connections: () => number
}

/**
 * A server that is closed with the test.
 * @param address Of loopback, which has 127.0.0.1 to 127.255.255.254.
 */
export async function startImageHost(
  t: Pick<Test, 'teardown'>,
  answer: RequestListener,
  {
    address = '127.0.0.1',
    port = 0,
    tls,
  }: { address?: string; port?: number; tls?: { key: string; cert: string } } = {},
): Promise<ImageHost> {
  const requests: IncomingMessage[] = []
  let connections = 0
  const listener: RequestListener = (request, reply) => {
    requests.push(request)
    answer(request, reply)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  ;(server as Server).on('connection', () => {
    connections += 1
  })
  server.listen(port, address)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests, connections: () => connections }
}
