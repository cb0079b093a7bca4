import { createServer } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { fetch } from 'undici'
import { readProxies } from '../../../src/config/endpoint/proxies.js'
import type { CropVlmError } from '../../../src/errors.js'
import type { Proxies } from '../../../src/openai/transport/transport.js'
import { openAiTarget } from '../../../src/target/openai.js'
import { compiledService } from '../../support/compiled.js'
import { IMAGE } from '../../support/fakes/app.js'
import { completion, targetConfig, upstream } from '../../support/fakes/upstream.js'
import { connectProxy } from '../../support/network/connect-proxy.js'
import { NO_OPENSSL, selfSigned, tlsUpstream } from '../../support/network/tls-upstream.js'
import { startServer } from '../../support/server.js'

t.setTimeout(240_000)

const NONE: Proxies = { httpProxy: '', httpsProxy: '', noProxy: '' }

/** The answer of a target, or how it failed. */
async function ask(baseUrl: string, proxies: Partial<Proxies> = {}): Promise<string | CropVlmError> {
  const { signal } = new AbortController()
  const picture = { mediaType: 'image/jpeg', width: 2, height: 2, bytes: new Uint8Array([1]) }
  const limits = { maxTokens: 5, temperature: 0, signal, deadline: Date.now() + 60_000 }
  const target = openAiTarget(targetConfig(baseUrl), { proxies: { ...NONE, ...proxies } })
  return await target.answer({ full: picture, crop: null, question: 'q', ...limits }).then(
    ({ text }) => text,
    error => error,
  )
}

const portOf = (url: string) => Number(new URL(url).port)

t.test('http goes through HTTP_PROXY as a whole URL, unless NO_PROXY excepts the host', async t => {
  const { baseUrl, received } = await upstream(t, completion('482'))
  const proxy = await connectProxy(t, portOf(baseUrl))
  const withPassword = proxy.url.replace('//', '//me:pass%40word@')
  t.equal(await ask('http://vlm.test:8000/v1', { httpProxy: withPassword }), '482')
  t.same(proxy.asked, ['POST http://vlm.test:8000/v1/chat/completions'])
  t.same(proxy.credentials, [`Basic ${Buffer.from('me:pass@word').toString('base64')}`])
  t.equal(received.length, 1)
  t.equal(await ask(baseUrl, { httpProxy: proxy.url, noProxy: 'vlm.test,127.0.0.1' }), '482')
  t.equal(await ask(baseUrl, { httpsProxy: proxy.url }), '482', 'HTTPS_PROXY is not for http')
  t.equal(proxy.asked.length, 1)
})

t.test('https goes through a tunnel of HTTPS_PROXY', { skip: NO_OPENSSL }, async t => {
  const certificate = selfSigned(t, 'DNS:vlm.test')
  const proxy = await connectProxy(t, await tlsUpstream(t, certificate))
  const error = await ask('https://vlm.test/v1', { httpsProxy: proxy.url })
  t.match(error, { code: 'target_failed', message: /certificate is not trusted; set NODE_EXTRA_CA_CERTS/ })
  t.ok(proxy.asked.length >= 1 && proxy.asked.every(what => what === 'CONNECT vlm.test:443'), `${proxy.asked}`)
})

t.test('a proxy that refuses is told as such', async t => {
  const proxy = await connectProxy(t, 1, 403)
  const error = await ask('https://vlm.test/v1', { httpsProxy: proxy.url })
  t.match(error, { code: 'target_failed', message: /the proxy that HTTPS_PROXY .* refused it; .*NO_PROXY/ })
})

t.test('calls through a proxy do not wait for one another', async t => {
  let waiting = 0
  let all: () => void = () => {}
  const together = new Promise<void>(resolve => {
    all = resolve
  })
  const { baseUrl } = await upstream(t, (...call) => {
    if (++waiting === 4) all()
    void together.then(() => completion('482')(...call))
  })
  const proxy = await connectProxy(t, portOf(baseUrl))
  const target = openAiTarget(targetConfig('http://vlm.test/v1'), { proxies: { ...NONE, httpProxy: proxy.url } })
  const picture = { mediaType: 'image/jpeg', width: 2, height: 2, bytes: new Uint8Array([1]) }
  const limits = { signal: new AbortController().signal, deadline: Date.now() + 60_000 }
  const request = { full: picture, crop: null, question: 'q', maxTokens: 5, temperature: 0, ...limits }
  const answers = await Promise.all(Array.from({ length: 4 }, () => target.answer(request)))
  t.same(
    answers.map(({ text }) => text),
    ['482', '482', '482', '482'],
  )
})

t.test('why no connection is made, each with what to do', async t => {
  const told = async (test: Test, baseUrl: string, message: RegExp) => {
    const error = await ask(baseUrl)
    test.match(error, { code: 'target_failed', details: { status: null }, message }, baseUrl)
  }
  await told(t, 'http://no-such-host.invalid/v1', /the name of its host is not found; check TARGET_BASE_URL/)
  const plain = await upstream(t, completion('x'))
  await told(
    t,
    plain.baseUrl.replace('http:', 'https:'),
    /does not speak TLS; TARGET_BASE_URL may have to begin with http:/,
  )
  await plain.close()
  await told(t, plain.baseUrl, /it is down/)
  const mute = createServer(socket => socket.destroy())
  await new Promise<void>(resolve => mute.listen(0, '127.0.0.1', resolve))
  t.teardown(() => mute.close())
  await told(t, `http://127.0.0.1:${(mute.address() as { port: number }).port}/v1`, /hung up/)
})

t.test('a certificate that signed itself, until NODE_EXTRA_CA_CERTS names it', { skip: NO_OPENSSL }, async t => {
  const certificate = selfSigned(t, 'IP:127.0.0.1')
  const port = await tlsUpstream(t, certificate)
  const url = `https://127.0.0.1:${port}/v1`
  t.match(await ask(url), { message: /certificate is not trusted; set NODE_EXTRA_CA_CERTS to a PEM file/ })
  // Node reads that variable as it starts
  const { line } = startServer(t, compiledService(), {
    NODE_EXTRA_CA_CERTS: certificate.file,
    TARGETS: JSON.stringify([
      { name: 'here', base_url: url, model: 'm' },
      { name: 'elsewhere', base_url: url.replace('127.0.0.1', 'localhost'), model: 'm' },
    ]),
  })
  const { url: service } = await line('ready; try')
  const post = async (target: string) => {
    const body = JSON.stringify({ image: IMAGE.toString('base64'), question: 'q', target })
    const headers = { 'content-type': 'application/json' }
    return await (await fetch(`${service}/answer`, { method: 'POST', headers, body })).json()
  }
  t.match(await post('here'), { answer: '482' })
  t.match(await post('elsewhere'), { error: { message: /its certificate is for another name; check TARGET_BASE_URL/ } })
})

t.test('the proxies of the environment', async t => {
  const problems: string[] = []
  const read = (env: Record<string, string>) => readProxies(env, problems)
  t.same(read({}), NONE)
  t.same(read({ HTTPS_PROXY: ' http://a:1 ', HTTP_PROXY: 'proxy.corp:3128', NO_PROXY: 'localhost, .corp' }), {
    httpProxy: 'http://proxy.corp:3128',
    httpsProxy: 'http://a:1',
    noProxy: 'localhost, .corp',
  })
  t.match(read({ https_proxy: 'http://small', HTTPS_PROXY: 'http://CAPITAL', no_proxy: '*' }), {
    httpsProxy: 'http://small',
    noProxy: '*',
  })
  t.same(problems, [])
  read({ HTTPS_PROXY: 'ftp://me:hunter2@proxy' })
  t.same(problems, [
    'HTTPS_PROXY is wrong (its value is not shown); set it to the URL of a proxy, like http://proxy:3128, or unset it.',
  ])
})

t.test('undici: a reply that ends while its reader is slow does not end the process', async t => {
  // 7.26 and later assert that the connection is not paused there (nodejs/undici#5360), which nobody can catch
  const body = Buffer.alloc(3_000_000, 'x')
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), body])))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  for (let i = 0; i < 6; i++) {
    const reply = await fetch(`http://127.0.0.1:${port}/`)
    let length = 0
    for await (const chunk of reply.body ?? []) {
      length += chunk.length
      await setTimeout(1)
    }
    t.equal(length, body.length)
  }
})
