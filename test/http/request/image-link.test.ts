import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config/service.js'
import { imageLinks } from '../../../src/links/links.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'
import { startDns } from '../../support/network/dns-server.js'
import { startImageHost } from '../../support/network/image-host.js'

/** A service that may fetch from `img.test`, which is 127.0.0.1, as far as this test goes. */
async function setUp(t: Test, more: Record<string, string> = {}) {
  const host = await startImageHost(t, ({ url }, reply) => {
    if (url === '/page.png') reply.end(IMAGE)
    else if (url === '/page.svg') reply.end('<svg/>')
    else if (url === '/large') reply.end(Buffer.alloc(1025))
    else if (url?.startsWith('/secret')) reply.writeHead(404).end()
    // nothing else is answered
  })
  const { resolver } = await startDns(t, name => [name === 'img.test' ? '127.0.0.1' : '10.0.0.1'])
  const env = { IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*.test:${host.port}`, ...more }
  const links = imageLinks(readConfig(env), { resolver, isAllowedAddress: address => address === '127.0.0.1' })
  const made = await makeApp(t, {}, env, { links })
  return { ...made, url: (path: string, name = 'img.test') => `http://${name}:${host.port}${path}` }
}

const question = 'What is the total?'

t.test('the image of a JSON body is fetched from its link', async t => {
  const { app, engine, url } = await setUp(t)
  const link = url('/page.png')
  for (const image of [link, ` ${link}`, { image_url: { url: link } }]) {
    const { status, body } = await post(app, '/crop', { json: { image, question } })
    t.equal(status, 200, JSON.stringify(body))
    t.strictSame(body.bbox, [12, 5, 80, 47])
    t.ok(body.timings_ms.fetch > 0)
  }
  t.match(await (await app.inject({ url: '/metrics' })).body, 'cropvlm_stage_duration_seconds_count{stage="fetch"} 3')
  t.match(await post(app, '/answer', { json: { image: link, question } }), {
    status: 200,
    body: { answer: 'Dakota Digital.', timings_ms: { fetch: Number } },
  })
  const images = jobsOf(engine, 'locate').map(({ image }) => Buffer.from(image))
  t.strictSame(images, [IMAGE, IMAGE, IMAGE, IMAGE])
  t.equal((await app.inject({ url: '/info' })).json().limits.image_urls, true)
})

t.test('what can be wrong with it', async t => {
  const { app, engine, url } = await setUp(t, { IMAGE_URL_TIMEOUT_MS: '300' })
  const rows: [image: string, status: number, code: string, says: RegExp][] = [
    ['https://example.org/a.png', 403, 'url_not_allowed', /IMAGE_URL_HOSTS/],
    ['file:///etc/passwd', 403, 'url_not_allowed', /neither http nor https/],
    [url('/page.png', 'inner.test'), 403, 'url_not_allowed', /no address on the public internet/],
    [url('/secret?token=abc'), 422, 'url_failed', /status 404/],
    [url('/page.svg'), 415, 'unsupported_image_format', /JPEG/],
    [url('/slow'), 504, 'url_timeout', /IMAGE_URL_TIMEOUT_MS/],
  ]
  for (const [image, status, code, says] of rows)
    for (const path of ['/crop', '/answer']) {
      const reply = await post(app, path, { json: { image, question } })
      t.match(reply, { status, body: { error: { code, param: 'image', source: 'gateway', message: says } } }, image)
      t.notMatch(JSON.stringify(reply.body), /10\.0\.0\.1|127\.0\.0\.1|token=abc/, image)
    }
  t.strictSame(engine.jobs, [])
})

t.test('a file behind a link is bounded as a body is', async t => {
  const { app, url } = await setUp(t, { MAX_BODY_BYTES: '1024' })
  const reply = await post(app, '/crop', { json: { image: url('/large'), question } })
  t.match(reply, {
    status: 413,
    body: { error: { code: 'body_too_large', param: 'image', message: /MAX_BODY_BYTES/ } },
  })
})

t.test('a form takes no link, and says so', async t => {
  const { app, url } = await setUp(t)
  const { status, body } = await post(app, '/crop', { image: url('/page.png'), question })
  t.equal(status, 403)
  t.match(body.error, { code: 'url_not_allowed', message: /JSON body alone.*send its bytes/ })
})
