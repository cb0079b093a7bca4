/** Which upstream a request goes to (point 12), and bodies of every size (point 13). */
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { until } from '../../../support/fakes/engine.js'
import { ask, proxied } from '../../../support/fakes/proxy.js'
import { recorder } from '../../../support/fakes/recorder.js'
import { connectProxy } from '../../../support/network/connect-proxy.js'

t.setTimeout(60_000)

const PATH = '/v1/chat/completions'

t.test('`model` is a target by its name, or by its model; else the default one, with the body unchanged', async t => {
  const [one, two] = [await recorder(t), await recorder(t)]
  const TARGETS = JSON.stringify([
    { name: 'first', base_url: `${one.baseUrl}/`, model: 'Qwen/Qwen3-VL', api_key: 'k1' },
    { name: 'second', base_url: `${two.baseUrl}/deep`, model: 'gpt-4.1-nano', api_key: 'k2', full_edge: 4000 },
  ])
  const { post } = await proxied(t, { TARGETS })
  for (const [model, upstream, sent, key] of [
    ['Qwen/Qwen3-VL', one, 'Qwen/Qwen3-VL', 'k1'],
    ['first', one, 'Qwen/Qwen3-VL', 'k1'],
    ['second', two, 'gpt-4.1-nano', 'k2'],
    ['gpt-4.1-nano', two, 'gpt-4.1-nano', 'k2'],
    ['whatever', one, 'whatever', 'k1'],
  ] as const) {
    const rest = '"n" : 1, "messages" : [{"role":"user","content":"hi"}] }'
    await post(PATH, `{ "model" : "${model}", ${rest}`)
    t.equal(upstream.last().body.toString(), `{ "model" : "${sent}", ${rest}`, model)
    t.equal(upstream.last().headers.authorization, `Bearer ${key}`)
  }
  t.strictSame(
    two.requests.map(({ url }) => url),
    ['/v1/deep/chat/completions', '/v1/deep/chat/completions'],
  )
  const sees = async (model: string) =>
    (await post(PATH, { model, messages: [ask('Total?')] })).headers.get('x-cropvlm-decision')
  t.equal(await sees('first'), 'zoomed')
  t.equal(await sees('second'), 'skipped', "by that target's own edges")
  const off = await post(PATH, '{"model":"second", "messages":[]}', { 'x-cropvlm-zoom': 'off' })
  t.equal(off.headers.get('x-cropvlm-decision'), 'off')
  t.equal(two.last().body.toString(), '{"model":"gpt-4.1-nano", "messages":[]}')
})

t.test('HTTP_PROXY and NO_PROXY hold here too', async t => {
  const upstream = await recorder(t)
  const between = await connectProxy(t, Number(new URL(upstream.baseUrl).port))
  const target = { TARGET_BASE_URL: 'http://vlm.test:8000/v1', TARGET_MODEL: 'vlm' }
  const { post } = await proxied(t, { ...target, HTTP_PROXY: between.url })
  t.equal((await post(PATH, { messages: [ask('Total?')] })).headers.get('x-cropvlm-decision'), 'zoomed')
  t.same(between.asked, ['POST http://vlm.test:8000/v1/chat/completions'])
  t.equal(upstream.last().headers.host, 'vlm.test:8000')
  t.match(JSON.parse(upstream.last().body.toString()), { messages: [{ content: { length: 4 } }] })
  const near = await proxied(t, { HTTP_PROXY: between.url, NO_PROXY: '127.0.0.1' })
  t.equal((await near.post(PATH, { messages: [] })).status, 200)
  t.equal(near.upstream.requests.length, 1)
  t.equal(between.asked.length, 1)
})

t.test('what is not to be zoomed is streamed to the upstream while it still comes', async t => {
  const seen: Buffer[] = []
  const server = createServer((request, response) => {
    request.on('data', chunk => seen.push(chunk))
    request.on('end', () => response.end('{}'))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const target = { name: 'x', base_url: `http://127.0.0.1:${port}/v1`, model: 'vlm' }
  const { url } = await proxied(t, { TARGETS: JSON.stringify([target]) })
  const text = () => Buffer.concat(seen).toString()
  for (const [path, headers] of [
    [PATH, { 'x-cropvlm-zoom': 'off' }],
    ['/v1/files', {}],
  ] as const) {
    seen.length = 0
    const outgoing = httpRequest(url + path, { method: 'POST', headers: { 'content-length': '20', ...headers } })
    outgoing.write('{"a":"first')
    await until(() => text() === '{"a":"first')
    t.pass('the first part is there before the second was sent')
    outgoing.end(' second"}')
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    t.equal(response.statusCode, 200)
    response.resume()
    t.equal(text(), '{"a":"first second"}')
  }
})

t.test(
  'a body over PROXY_MAX_BODY_BYTES is refused, by its header or as it comes; MAX_BODY_BYTES is not asked',
  async t => {
    const { post, url, upstream } = await proxied(t, { PROXY_MAX_BODY_BYTES: '4096', MAX_BODY_BYTES: '1024' })
    const sized = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`
    t.equal((await post(PATH, sized(4096))).status, 200)
    const tooLarge = await post(PATH, sized(4097))
    t.equal(tooLarge.status, 413)
    t.match(await tooLarge.json(), { error: { code: 'body_too_large', message: /4096 bytes/ } })
    for (const headers of [{}, { 'x-cropvlm-zoom': 'off' }] as const) {
      const outgoing = httpRequest(url + PATH, {
        method: 'POST',
        headers: { 'transfer-encoding': 'chunked', ...headers },
      })
      outgoing.on('error', () => {})
      outgoing.write(sized(4000))
      outgoing.end(sized(4000))
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
      t.equal(response.statusCode, 413)
      response.resume()
    }
    t.equal(upstream.requests.length, 1)
    t.equal((await post('/crop', sized(1025))).status, 413, 'other routes keep their limit')
  },
)

t.test('a chunked body without a type', async t => {
  const { url } = await proxied(t)
  const body = JSON.stringify({ messages: [ask('What is the total?')] })
  const outgoing = httpRequest(url + PATH, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  t.equal(response.headers['x-cropvlm-decision'], 'zoomed')
  response.resume()
})

t.test('a large conversation: 20 MB of base64 in one message', async t => {
  const { post, upstream } = await proxied(t)
  const padding = 'A'.repeat(20 * 1024 * 1024)
  const message = ask('What is the total?')
  const body = JSON.stringify({
    messages: [{ role: 'user', content: [{ type: 'input_audio', data: padding }] }, message],
  })
  const reply = await post(PATH, body)
  t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  const sent = upstream.last().body.toString()
  const end = body.indexOf(',{"type":"text","text":"What')
  t.equal(sent.slice(0, end), body.slice(0, end))
  t.equal(sent.slice(-(body.length - end)), body.slice(end))
})
