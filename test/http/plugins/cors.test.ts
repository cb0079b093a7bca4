import t from 'tap'
import { form, IMAGE, listen, makeApp, post } from '../../support/fakes/app.js'

const APP = 'https://app.example.org'
const EXPOSED = /^x-request-id, .*x-cropvlm-decision/

const preflight = (origin: string, method = 'POST', headers = 'authorization, content-type, x-stainless-os') => ({
  origin,
  'access-control-request-method': method,
  'access-control-request-headers': headers,
})

t.test('a preflight of an allowed origin, on every route, without the key', async t => {
  const { app } = await makeApp(t, {}, { CORS_ORIGINS: `${APP}, http://localhost:3000`, API_KEY: 'sesame' })
  const rows: [url: string, methods: string][] = [
    ['/crop', 'POST'],
    ['/answer?a=1', 'POST'],
    ['/info', 'GET, HEAD'],
    ['/health', 'GET, HEAD'],
    // what is forwarded, whatever it is
    ['/v1/files/f?a=1', 'DELETE, GET, HEAD, PATCH, POST, PUT'],
    ['/v1/chat/completions', 'DELETE, GET, HEAD, PATCH, POST, PUT'],
  ]
  for (const [url, methods] of rows)
    for (const origin of [APP, 'http://localhost:3000']) {
      const reply = await app.inject({ method: 'OPTIONS', url, headers: preflight(origin, methods.split(',')[0]) })
      t.equal(reply.statusCode, 204, url)
      t.equal(reply.body, '')
      t.match(reply.headers, {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': methods,
        'access-control-allow-headers': 'authorization, content-type, x-stainless-os',
        'access-control-max-age': '7200',
        vary: 'Origin, Access-Control-Request-Headers',
      })
      t.notOk('access-control-allow-credentials' in reply.headers)
    }
})

t.test('what is no preflight of an allowed origin stays as it is', async t => {
  const { app } = await makeApp(t, {}, { CORS_ORIGINS: APP })
  const off = await makeApp(t)
  const { 'access-control-request-method': _, ...noMethod } = preflight(APP)
  const { origin: __, ...noOrigin } = preflight(APP)
  const rows: [url: string, headers: Record<string, string>, status: number, isAllowed: boolean][] = [
    ['/crop', preflight('https://evil.example.org'), 405, false],
    ['/crop', preflight(`${APP}.evil.org`), 405, false],
    ['/crop', preflight('http://app.example.org'), 405, false],
    ['/crop', preflight('null'), 405, false],
    ['/crop', noOrigin, 405, false],
    ['/crop', noMethod, 405, true],
    ['/nowhere', preflight(APP), 404, true],
  ]
  for (const [url, headers, status, isAllowed] of rows) {
    const reply = await app.inject({ method: 'OPTIONS', url, headers })
    t.equal(reply.statusCode, status, JSON.stringify(headers))
    t.equal(reply.headers['access-control-allow-origin'], isAllowed ? APP : undefined)
    t.equal(reply.headers.vary, 'Origin')
    t.notOk('access-control-allow-methods' in reply.headers)
    const without = await off.app.inject({ method: 'OPTIONS', url, headers })
    t.equal(without.statusCode, status)
    t.same(
      Object.keys(without.headers).filter(name => /^access-control|^vary/.test(name)),
      [],
    )
  }
})

t.test('replies and errors can be read by pages of an allowed origin', async t => {
  const { app } = await makeApp(t, {}, { CORS_ORIGINS: APP, API_KEY: 'sesame' })
  const key = { authorization: 'Bearer sesame' }
  const replies = [
    [200, await post(app, '/crop', { image: IMAGE, question: 'q' }, { ...key, origin: APP })],
    [400, await post(app, '/crop', { image: IMAGE }, { ...key, origin: APP })],
    [401, await post(app, '/crop', { image: IMAGE, question: 'q' }, { origin: APP })],
    [404, await post(app, '/crops', { image: IMAGE }, { ...key, origin: APP })],
    [415, await post(app, '/crop', { json: {} }, { ...key, origin: APP, 'content-encoding': 'gzip' })],
  ] as const
  for (const [status, reply] of replies) {
    t.equal(reply.status, status)
    t.match(reply.headers, {
      'access-control-allow-origin': APP,
      'access-control-expose-headers': EXPOSED,
      vary: 'Origin',
      'x-request-id': /./,
    })
  }
  const stranger = await post(app, '/crop', { image: IMAGE, question: 'q' }, { ...key, origin: 'https://evil.org' })
  t.equal(stranger.status, 200)
  t.notOk('access-control-allow-origin' in stranger.headers)
  const none = await post(app, '/crop', { image: IMAGE, question: 'q' }, key)
  t.equal(none.headers.vary, 'Origin')
})

t.test('every origin', async t => {
  const { app } = await makeApp(t, {}, { CORS_ORIGINS: '*' })
  for (const origin of [APP, 'null', 'chrome-extension://abcdef']) {
    const reply = await app.inject({ method: 'OPTIONS', url: '/crop', headers: preflight(origin) })
    t.equal(reply.statusCode, 204)
    t.equal(reply.headers['access-control-allow-origin'], '*')
    const info = await app.inject({ url: '/info', headers: { origin } })
    t.equal(info.headers['access-control-allow-origin'], '*')
    t.notOk('vary' in info.headers)
  }
})

t.test('origins as people write them', async t => {
  const rows: [written: string, origin: string][] = [
    ['https://App.Example.org/', 'https://app.example.org'],
    ['https://app.example.org:443', 'https://app.example.org'],
    ['http://localhost:5173', 'http://localhost:5173'],
    ['chrome-extension://AbCdef', 'chrome-extension://abcdef'],
    ['http://[::1]:3000,https://x.org', 'http://[::1]:3000'],
  ]
  for (const [written, origin] of rows) {
    const { app } = await makeApp(t, {}, { CORS_ORIGINS: written })
    const reply = await app.inject({ url: '/info', headers: { origin } })
    t.equal(reply.headers['access-control-allow-origin'], origin, written)
  }
  for (const wrong of [
    'app.example.org',
    'https://app.example.org/path',
    'https://*.example.org',
    'https://a.org,',
    'yes',
  ])
    await t.rejects(makeApp(t, {}, { CORS_ORIGINS: wrong }), {
      code: 'invalid_config',
      message: /CORS_ORIGINS is .*set it to origins separated by commas, such as https:/,
    })
})

t.test('over a socket: a body over the limit, and one that is read', async t => {
  const { url } = await listen(t, {}, { CORS_ORIGINS: APP, MAX_BODY_BYTES: '5000' })
  const big = await fetch(`${url}/crop`, { method: 'POST', body: new Uint8Array(9000), headers: { origin: APP } })
  t.equal(big.status, 413)
  t.equal(big.headers.get('access-control-allow-origin'), APP)
  const { payload, headers } = await form({ image: IMAGE, question: 'q' })
  const good = await fetch(`${url}/crop`, {
    method: 'POST',
    body: new Uint8Array(payload),
    headers: { ...headers, origin: APP },
  })
  t.equal(good.status, 200)
  t.equal(good.headers.get('access-control-allow-origin'), APP)
  t.match(good.headers.get('access-control-expose-headers'), EXPOSED)
})
