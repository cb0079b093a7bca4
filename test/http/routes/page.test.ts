import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { listen, makeApp } from '../../support/fakes/app.js'

const INDEX = readFileSync(new URL('../../../src/page/index.html', import.meta.url))

t.test('the page and its files, without a key, with headers that let it ask its own origin alone', async t => {
  const { app } = await makeApp(t, {}, { API_KEY: 'sesame' })
  const index = await app.inject({ url: '/' })
  t.equal(index.statusCode, 200)
  t.ok(index.rawPayload.equals(INDEX))
  t.equal(index.headers['content-type'], 'text/html; charset=utf-8')
  const policy = String(index.headers['content-security-policy']).split('; ')
  for (const rule of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "frame-ancestors 'none'",
  ])
    t.ok(policy.includes(rule), rule)
  t.match(index.headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  for (const [path, type] of [
    ['main.js', 'text/javascript; charset=utf-8'],
    ['picture/stage.js', 'text/javascript; charset=utf-8'],
    ['style/base.css', 'text/css; charset=utf-8'],
    ['icon.svg', 'image/svg+xml'],
    ['examples/receipt.png', 'image/png'],
    ['examples/sign.webp', 'image/webp'],
    ['index.html', 'text/html; charset=utf-8'],
  ] as const) {
    const file = await app.inject({ url: `/page/${path}` })
    t.equal(file.statusCode, 200, path)
    t.equal(file.headers['content-type'], type)
    t.equal(file.headers['x-content-type-options'], 'nosniff')
    t.ok(file.rawPayload.length < 100_000)
    t.ok(file.rawPayload.equals(readFileSync(new URL(`../../../src/page/${path}`, import.meta.url))))
  }
  t.equal((await app.inject({ url: '/info' })).statusCode, 401, 'what it asks needs the key')
})

t.test('all that the page names is there, by relative addresses', async t => {
  const { app } = await makeApp(t)
  const named = [...INDEX.toString().matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path = '']) => path)
  t.ok(named.length > 6)
  for (const path of named) {
    t.notMatch(path, /^\/|:/, 'it keeps the path prefix of a proxy')
    const { statusCode } = await app.inject({ url: `/${path}` })
    t.ok([200, 302].includes(statusCode), path)
  }
  t.notMatch(
    INDEX.toString(),
    /<style|style="|<script(?! type="module" src=)|onclick=/,
    'nothing in it that its policy refuses',
  )
})

t.test('a tag, 304 for who has the file, HEAD', async t => {
  const { app } = await makeApp(t)
  const { headers } = await app.inject({ url: '/page/main.js' })
  const tag = String(headers.etag)
  t.match(tag, /^"[\w-]{22}"$/)
  t.equal(headers['cache-control'], 'no-cache')
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`]) {
    const again = await app.inject({ url: '/page/main.js', headers: { 'if-none-match': known } })
    t.equal(again.statusCode, 304, known)
    t.equal(again.body, '')
    t.equal(again.headers.etag, tag)
  }
  const other = await app.inject({ url: '/page/main.js', headers: { 'if-none-match': '"other"' } })
  t.equal(other.statusCode, 200)
  t.not((await app.inject({ url: '/' })).headers.etag, tag)
  for (const url of ['/', '/page/main.js']) {
    const head = await app.inject({ method: 'HEAD', url })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    t.equal(head.headers['content-length'], String((await app.inject({ url })).rawPayload.length))
  }
})

t.test('nothing else: no other file, no other method', async t => {
  const { app, port } = await listen(t)
  for (const url of ['/page/', '/page', '/page/none.js', '/page/examples', '/page/..%2fmain.js', '/index.html']) {
    const { statusCode, headers, body } = await app.inject({ url })
    t.equal(statusCode, 404, url)
    t.match(headers['content-type'], 'application/json')
    t.match(JSON.parse(body).error, { code: 'not_found' })
  }
  for (const path of ['/page/../main.js', '/page/../../package.json', '/page/./main.js/../../../package.json'])
    t.equal(await rawStatus(port, path), 404, path)
  for (const url of ['/', '/page/main.js']) {
    const { statusCode, headers } = await app.inject({ method: 'POST', url })
    t.equal(statusCode, 405, url)
    t.equal(headers.allow, 'GET, HEAD')
  }
  const document = (await app.inject({ url: '/openapi.json' })).json()
  t.notOk('/' in document.paths || '/page/*' in document.paths, 'it is no part of the API')
})

/** As a client sends it that does not resolve dots itself. */
function rawStatus(port: number, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, path, host: '127.0.0.1', agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
