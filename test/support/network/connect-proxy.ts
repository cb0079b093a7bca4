import { createServer, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A proxy that tunnels (`CONNECT`) and forwards (a whole URL in the request line). */
export interface ConnectProxy {
  url: string
  port: number
  /** What it was asked for: `CONNECT host:port`, or method and URL. */
  asked: string[]
  /** Ports from which it was asked: one for each connection. */
  callers: Set<number | undefined>
  /** The credentials of each. */
  credentials: (string | undefined)[]
}

/**
 * On loopback, closed with the test.
 * @param port Every host is taken to be there, on loopback, so that hosts need no name that resolves.
 * @param refusal A status with which everything is refused instead.
 */
export async function connectProxy(t: Test, port: number, refusal?: number): Promise<ConnectProxy> {
  const [asked, credentials]: [string[], (string | undefined)[]] = [[], []]
  const callers = new Set<number | undefined>()
  const sockets = new Set<Socket>()
  const note = (what: string, { headers, socket }: IncomingMessage) => {
    asked.push(what)
    callers.add(socket.remotePort)
    credentials.push(headers['proxy-authorization'])
  }
  const server = createServer((incoming, response) => {
    note(`${incoming.method} ${incoming.url}`, incoming)
    if (refusal) return response.writeHead(refusal).end()
    const { pathname, search } = new URL(incoming.url ?? '')
    const { method, headers } = incoming
    const forwarded = request({ host: '127.0.0.1', port, path: `${pathname}${search}`, method, headers }, reply => {
      response.writeHead(reply.statusCode ?? 502, reply.headers).flushHeaders()
      reply.pipe(response)
    })
    incoming.pipe(forwarded)
  })
  server.on('connection', socket => sockets.add(socket))
  server.on('connect', (incoming, socket: Socket, head: Buffer) => {
    note(`CONNECT ${incoming.url}`, incoming)
    if (refusal) return socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`)
    const there = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      there.write(head)
      there.pipe(socket).pipe(there)
    })
    sockets.add(there)
    for (const end of [there, socket]) end.on('error', () => {})
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  const { port: own } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${own}`, port: own, asked, callers, credentials }
}
