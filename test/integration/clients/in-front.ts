/** The real service in front of real servers, with a relay between them that keeps the bytes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ROOT } from '../../support/deploy-files.js'
import { type Exchange, type Relay, startRelay } from '../../support/network/relay.js'
import { startReal } from '../../support/real.js'
import type { ModelServer } from '../../support/servers.js'
import { runClient, type Server } from './run-client.js'

/** The README's page. */
export const IMAGE = `data:image/png;base64,${readFileSync(join(ROOT, 'docs/example.png')).toString('base64')}`
export const QUESTION = 'What is the total?'

/** A busy machine may take that long. */
const PATIENCE = { REQUEST_TIMEOUT_MS: '240000', TARGET_TIMEOUT_MS: '200000', ZOOM_BUDGET_MS: '100000' }

export interface InFront<Name extends string> {
  /** What a client makes of the replies of a server, without the proxy and with it, by case. */
  run(name: Name, program: string, cases: string[]): Promise<Record<string, [direct: unknown, proxied: unknown]>>
  /** Sends a request through the proxy. */
  send(name: Name, path: string, body: object): Promise<{ response: Response; seen: () => Promise<unknown> }>
  /** The last of a server's exchanges with the proxy. */
  last(name: Name): Exchange | undefined
}

/** Starts the service with these targets; the first is the default one. */
export async function startInFront<Name extends string>(
  t: Test,
  servers: Record<Name, ModelServer>,
): Promise<InFront<Name>> {
  const names = Object.keys(servers) as Name[]
  const pairs = await Promise.all(
    names.map(async name => {
      const [direct, behind] = await Promise.all([0, 1].map(() => startRelay(t, servers[name].baseUrl)))
      return [name, { direct, behind }] as [Name, { direct: Relay; behind: Relay }]
    }),
  )
  const relays = new Map(pairs)
  const relay = (name: Name) => relays.get(name) as { direct: Relay; behind: Relay }
  const targets = names.map(name => ({ name, base_url: relay(name).behind.baseUrl, model: servers[name].model }))
  const { url } = await startReal(t, {
    CROPPER_MODEL: join(ROOT, 'models/cropvlm-mini'),
    TARGETS: JSON.stringify(targets),
    ...PATIENCE,
  })
  const key = (name: Name) => servers[name].apiKey ?? 'none'
  return {
    async run(name, program, cases) {
      const { direct, behind } = relay(name)
      const [api_key, model] = [key(name), servers[name].model]
      const both: Server[] = [
        { base_url: direct.baseUrl, seen: direct.seen, api_key },
        { base_url: `${url}/v1`, seen: behind.seen, api_key },
      ]
      const given = { servers: both, model, image: IMAGE, question: QUESTION, cases }
      return (await runClient(program, given)) as Record<string, [unknown, unknown]>
    },
    async send(name, path, body) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${key(name)}` }
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
      return { response, seen: () => fetch(relay(name).behind.seen, { method: 'POST' }) }
    },
    last: name => relay(name).behind.exchanges.at(-1),
  }
}
