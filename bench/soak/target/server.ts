/** The targets behind the service, on loopback: `/steady/v1` and `/shaky/v1`. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { oneOf } from '../requests/pictures.js'
import { SHAKY, steady } from './replies.js'

export interface Targets {
  url: string
  /** What the shaky target did, and how often. */
  behaviours: Readonly<Record<string, number>>
  close(): void
}

/** @param random Chooses what the shaky target does. */
export async function startTargets(random: () => number): Promise<Targets> {
  const names = Object.keys(SHAKY)
  const behaviours: Record<string, number> = {}
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    const wantsStream = /"stream": ?true/.test(body.slice(0, 200)) || /"stream": ?true/.test(body.slice(-200))
    if (request.url?.startsWith('/steady/')) return steady(request, response, wantsStream)
    const name = oneOf(names, random)
    behaviours[name] = (behaviours[name] ?? 0) + 1
    SHAKY[name]?.(request, response, wantsStream)
  }
  const server = createServer((request, response) => {
    // the service hangs up where its own caller has gone
    response.on('error', () => {})
    answer(request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    behaviours,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
