/** Images behind links, where IMAGE_URLS allows their host: fetched once, and zoomed (point 7). */
import t, { type Test } from 'tap'
import { readConfig } from '../../../../src/config/service.js'
import { imageLinks } from '../../../../src/links/links.js'
import { listen } from '../../../support/fakes/app.js'
import { ask, PAGE } from '../../../support/fakes/proxy.js'
import { recorder } from '../../../support/fakes/recorder.js'
import { jobsOf } from '../../../support/fakes/scripted-engine.js'
import { startDns } from '../../../support/network/dns-server.js'
import { startImageHost } from '../../../support/network/image-host.js'

const PATH = '/v1/chat/completions'

async function setUp(t: Test, target: Record<string, string>) {
  const asked: string[] = []
  const host = await startImageHost(t, ({ url = '' }, reply) => {
    asked.push(url)
    if (url === '/page.png') reply.end(PAGE)
    else reply.writeHead(404).end()
  })
  const { resolver } = await startDns(t, name => [name === 'img.test' ? '127.0.0.1' : '10.0.0.1'])
  const env = { IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*.test:${host.port}`, ...target }
  const links = imageLinks(readConfig(env), { resolver, isAllowedAddress: address => address === '127.0.0.1' })
  const { url, engine } = await listen(t, {}, env, { links })
  const post = (messages: object[]) => fetch(url + PATH, { method: 'POST', body: JSON.stringify({ messages }) })
  const metrics = async () => await (await fetch(`${url}/metrics`)).text()
  return {
    post,
    metrics,
    engine,
    asked,
    link: (path: string, name = 'img.test') => `http://${name}:${host.port}${path}`,
  }
}

t.test('a link is fetched once in a request, timed, and stays as it is beside its crop', async t => {
  const upstream = await recorder(t)
  const target = { TARGET_BASE_URL: upstream.baseUrl, TARGET_MODEL: 'vlm', TARGET_FULL_EDGE: '512' }
  const { post, metrics, engine, asked, link } = await setUp(t, target)
  const messages = [ask('What is the total?', link('/page.png')), { role: 'user', content: 'And the date?' }]
  for (const _ of [1, 2]) {
    const reply = await post(messages)
    t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
    const [first, second] = JSON.parse(upstream.last().body.toString()).messages
    t.equal(first.content[0].image_url.url, link('/page.png'))
    t.match(first.content, { length: 4 })
    t.match(second.content, { length: 3 })
  }
  t.strictSame(asked, ['/page.png'], 'for two questions, and not again for what is remembered')
  t.equal(jobsOf(engine, 'locate').length, 2)
  t.match(await metrics(), 'cropvlm_stage_duration_seconds_count{stage="fetch"} 1')
})

t.test('one that may not be fetched is forwarded, one that cannot be is a failure of the zoom', async t => {
  const upstream = await recorder(t)
  const { post, metrics, link } = await setUp(t, { TARGET_BASE_URL: upstream.baseUrl, TARGET_MODEL: 'vlm' })
  for (const [url, decision, reason] of [
    ['http://other.example/a.png', 'skipped', 'image_url'],
    [link('/page.png', 'inner.test'), 'skipped', 'image_url'],
    [link('/none.png'), 'failed', 'url_failed'],
  ] as const) {
    const messages = [ask('What is the total?', url)]
    const reply = await post(messages)
    t.equal(reply.headers.get('x-cropvlm-decision'), decision)
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
    t.equal(upstream.last().body.toString(), JSON.stringify({ messages }))
  }
  t.notMatch(await metrics(), 'stage="fetch"')
})

t.test('a target in this process sees the same file', async t => {
  const { post, engine, asked, link } = await setUp(t, {})
  const reply = await post([ask('What is the brand?', link('/page.png'))])
  t.match(await reply.json(), { choices: [{ message: { content: 'Dakota Digital.' } }] })
  t.equal(asked.length, 1)
  t.ok(Buffer.from(jobsOf(engine, 'render').at(-1)?.image ?? []).equals(PAGE))
})
