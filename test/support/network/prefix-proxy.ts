/** A reverse proxy as many stand in front of a service: it listens under a path prefix, which the service never sees. */
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** The address of the service behind the proxy, prefix included; closed with the test. */
export async function startProxy(t: Test, upstream: string, prefix: string): Promise<string> {
  const server = createServer((request, response) => {
    const { url = '', method, headers } = request
    if (!url.startsWith(`${prefix}/`)) return response.writeHead(404).end('outside the prefix')
    const forwarded = send(`${upstream}${url.slice(prefix.length)}`, { method, headers }, reply => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
    })
    request.pipe(forwarded)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${prefix}`
}
