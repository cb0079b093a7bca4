import t from 'tap'
import { type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { proxyFor } from '../../../src/config/endpoint/proxies.js'

const PROXIES = { httpProxy: 'http://plain:1', httpsProxy: 'http://secure:2' }

/** The proxy that undici takes, which other calls of endpoints go through. */
async function ofUndici(origin: string, noProxy: string): Promise<string | null> {
  const agent = new EnvHttpProxyAgent({ ...PROXIES, noProxy })
  let taken: string | null = null
  const ways: Record<string, string | null> = {
    'http proxy agent': PROXIES.httpProxy,
    'https proxy agent': PROXIES.httpsProxy,
  }
  const parts = agent as unknown as Record<symbol, { dispatch?: unknown }>
  for (const symbol of Object.getOwnPropertySymbols(agent)) {
    const { description = '' } = symbol
    if (!/^(no|http|https) proxy agent$/.test(description)) continue
    const part = parts[symbol] ?? {}
    part.dispatch = () => {
      taken = ways[description] ?? null
      return true
    }
  }
  agent.dispatch({ origin, path: '/', method: 'GET' }, {} as Dispatcher.DispatchHandler)
  await agent.close()
  return taken
}

t.test('the proxy of an address, by its scheme and NO_PROXY, as undici takes it', async t => {
  const { httpProxy: plain, httpsProxy: secure } = PROXIES
  for (const [address, noProxy, proxy] of [
    ['http://vlm.test', '', plain],
    ['https://vlm.test', '', secure],
    ['https://vlm.test', '*', null],
    ['https://vlm.test', 'vlm.test', null],
    ['https://VLM.test', 'Vlm.Test', null],
    ['https://a.vlm.test', 'vlm.test', null],
    ['https://a.vlm.test', '.vlm.test', null],
    ['https://a.vlm.test', '*.vlm.test', null],
    ['https://vlm.test', '.vlm.test', null],
    ['https://myvlm.test', 'vlm.test', secure],
    ['https://vlm.test.org', 'vlm.test', secure],
    ['https://vlm.test', 'a.test, b.test vlm.test,', null],
    ['https://vlm.test', 'vlm.test:443', null],
    ['https://vlm.test', 'vlm.test:8443', secure],
    ['http://vlm.test:8000', 'vlm.test:8000', null],
    ['http://vlm.test:8000', 'vlm.test:80', plain],
    ['http://127.0.0.1:8000', '127.0.0.1', null],
    ['http://[::1]:8000', '[::1]', null],
    ['http://10.0.0.7', '10.0.0.0/8', plain],
  ] as const) {
    t.equal(proxyFor(new URL(address), { ...PROXIES, noProxy }), proxy, `${address} without ${noProxy}`)
    t.equal(await ofUndici(new URL(address).origin, noProxy), proxy, `undici: ${address} without ${noProxy}`)
  }
  t.equal(proxyFor(new URL('http://a'), { httpProxy: '', httpsProxy: secure, noProxy: '' }), null)
})
