/**
 * A reverse proxy of Node's own server and client and nothing else, a process of its own: what any proxy in Node costs at
 * least. Its argument is the upstream's address. It says `{"port": N}` in a line, and ends with its input.
 */
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

const [, , upstream = ''] = process.argv
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 })
const server = createServer((incoming, reply) => {
  const { method, headers, url } = incoming
  const outgoing = request(`${upstream}${url}`, { method, headers, agent }, answer => {
    reply.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(reply)
  })
  outgoing.once('error', () => reply.destroy())
  incoming.pipe(outgoing)
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
})
process.stdin.resume().once('end', () => process.exit())
