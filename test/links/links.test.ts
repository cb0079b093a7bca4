/** Each trick of a link, and of where it leads. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { imageLinks } from '../../src/links/links.js'
import type { Answer } from '../support/network/dns-server.js'
import { startImageHost } from '../support/network/image-host.js'
import { FILE, fetched, giveFile, redirect, refused, setUp } from './set-up.js'

t.test('off', async t => {
  const links = imageLinks(readConfig({}))
  t.match(await refused(links, 'https://a.example/'), {
    code: 'url_not_allowed',
    message: /IMAGE_URLS is off.*send its bytes/,
  })
})

t.test('a file', async t => {
  t.intercept(process, 'env', {
    value: { ...process.env, HTTP_PROXY: 'http://127.0.0.1:9', http_proxy: 'http://127.0.0.1:9' },
  })
  const host = await startImageHost(t, giveFile)
  const { links, asked } = await setUp(t, { hosts: `img.test:${host.port}` })
  t.strictSame(await fetched(links, `http://IMG.test:${host.port}/a%20b.png?q=1#part`), FILE)
  const [{ url, headers } = {}] = host.requests
  t.equal(url, '/a%20b.png?q=1')
  t.match(headers, { host: `img.test:${host.port}`, 'accept-encoding': 'identity', 'user-agent': /^cropvlm\// })
  t.notOk(headers?.cookie ?? headers?.authorization ?? headers?.referer)
  t.strictSame(asked, ['img.test'])
})

t.test('a name whose address changes gains nothing: what was checked is connected to', async t => {
  const open = await startImageHost(
    t,
    (_request, reply) => void reply.writeHead(200, { connection: 'close' }).end(FILE),
  )
  const inner = await startImageHost(t, giveFile, { address: '127.0.0.2', port: open.port })
  const { links, asked } = await setUp(t, {
    hosts: `*:${open.port}`,
    zone: (_name, nth) => (nth === 0 ? ['127.0.0.1'] : ['127.0.0.2']),
  })
  const link = `http://rebind.test:${open.port}/`
  t.strictSame(await fetched(links, link), FILE)
  t.equal(asked.length, 1, 'the name is looked up once for a connection')
  t.match(await refused(links, link), { code: 'url_not_allowed', message: /no address on the public internet/ })
  t.equal(asked.length, 2)
  t.equal(inner.connections(), 0)
})

t.test('a redirect to the same name is looked up anew where it needs a connection', async t => {
  const open = await startImageHost(t, (_request, reply) => {
    reply.setHeader('connection', 'close')
    redirect(reply, '/again')
  })
  const inner = await startImageHost(t, giveFile, { address: '127.0.0.2', port: open.port })
  const { links } = await setUp(t, {
    hosts: `*:${open.port}`,
    zone: (_name, nth) => [nth === 0 ? '127.0.0.1' : '127.0.0.2'],
  })
  t.match(await refused(links, `http://rebind.test:${open.port}/`), {
    code: 'url_not_allowed',
    message: /leads on to one/,
  })
  t.equal(open.connections(), 1)
  t.equal(inner.connections(), 0)
})

t.test('one address of a name that is not public is enough to refuse it', async t => {
  const host = await startImageHost(t, giveFile)
  const zone: Record<string, Answer> = {
    'mixed.test': ['127.0.0.1', '127.0.0.2'],
    'mixed6.test': ['127.0.0.1', '::1'],
    'mapped.test': ['::ffff:7f00:1'],
    'nat64.test': ['64:ff9b::808:808'],
    '6to4.test': ['2002:7f00:1::1'],
    'metadata.test': ['169.254.169.254'],
    'metadata6.test': ['fd00:ec2::254'],
    'zero.test': ['0.0.0.0'],
    'lan.test': ['10.0.0.7', '192.168.1.1'],
    'good.test': ['127.0.0.1'],
  }
  const { links, asked } = await setUp(t, { hosts: `*:${host.port}`, zone: name => zone[name] ?? null })
  for (const name of Object.keys(zone).filter(name => name !== 'good.test'))
    t.match(
      await refused(links, `http://${name}:${host.port}/`),
      { code: 'url_not_allowed', message: /no address on/ },
      name,
    )
  t.equal(host.connections(), 0)
  const unknown = await refused(links, `http://no-such-name.test:${host.port}/`)
  const inner = await refused(links, `http://lan.test:${host.port}/`)
  t.equal(unknown.message, inner.message, 'whether an inner name exists is not told')
  t.equal(unknown.code, inner.code)
  t.strictSame(await fetched(links, `http://good.test:${host.port}/`), FILE)
  t.equal(asked.at(-1), 'good.test')
})

t.test('addresses written into the link, in any spelling', async t => {
  const host = await startImageHost(t, giveFile, { address: '127.0.0.2' })
  const { links, asked } = await setUp(t, { hosts: `*:${host.port}` })
  for (const address of [
    '127.0.0.2',
    '0x7f.2',
    '2130706434',
    '127.2',
    '0177.0.0.2',
    '①②⑦.⓪.⓪.②',
    '[::1]',
    '[::ffff:127.0.0.2]',
    '[::]',
    '0',
    '[fd00:ec2::254]',
    '169.254.169.254',
    '[64:ff9b::7f00:2]',
  ])
    t.match(
      await refused(links, `http://${address}:${host.port}/`),
      { code: 'url_not_allowed', message: /no address on/ },
      address,
    )
  t.equal(host.connections(), 0)
  t.notOk(
    asked.some(name => /^[\d.:x]+$/.test(name)),
    'an address is not looked up',
  )
  const open = await startImageHost(t, giveFile)
  t.strictSame(
    await fetched((await setUp(t, { hosts: `*:${open.port}` })).links, `http://127.0.0.1:${open.port}/`),
    FILE,
  )
})

t.test('what a link may not be', async t => {
  const host = await startImageHost(t, giveFile)
  const { links, asked } = await setUp(t, { hosts: `img.test:${host.port}` })
  for (const link of [`http://other.test:${host.port}/`, `ftp://img.test:${host.port}/`, 'file:///etc/passwd'])
    t.match(
      await refused(links, link),
      { code: 'url_not_allowed', message: /may not be fetched.*send its bytes/ },
      link,
    )
  for (const link of [`http://user:secret@img.test:${host.port}/`, 'http://img.test/', 'http://']) {
    const error = await refused(links, link)
    t.match(error, { code: 'invalid_url', message: /cannot be fetched.*send its bytes/ }, link)
    t.notMatch(error.message, 'secret')
  }
  t.strictSame(asked, [])
  t.equal(host.connections(), 0)
})

t.test('every redirect is checked', async t => {
  const inner = await startImageHost(t, giveFile, { address: '127.0.0.2' })
  const host = await startImageHost(t, ({ url = '' }, reply) => redirect(reply, decodeURIComponent(url.slice(1))))
  const { links } = await setUp(t, {
    hosts: `*.test:${host.port},inner.test:${inner.port},127.0.0.2:${inner.port}`,
    zone: name => (name === 'inner.test' ? ['127.0.0.2'] : ['127.0.0.1']),
  })
  const rows: [to: string, says: RegExp][] = [
    [`http://127.0.0.2:${inner.port}/`, /no address on/],
    [`http://inner.test:${inner.port}/`, /no address on/],
    [`//inner.test:${inner.port}/`, /no address on/],
    [`http://a.test:${inner.port}/`, /port/],
    [`http://elsewhere.org:${host.port}/`, /host is not one/],
    ['file:///etc/passwd', /neither http nor https/],
    ['data:image/png;base64,AA==', /neither http nor https/],
    [`http://u:p@a.test:${host.port}/`, /user name/],
    ['http://[', /no valid URL/],
  ]
  for (const [to, says] of rows) {
    const error = await refused(links, `http://a.test:${host.port}/${encodeURIComponent(to)}`)
    t.match(error, { code: 'url_not_allowed', message: /leads on to one that may not be fetched/ }, to)
    t.match(error.message, says, to)
    t.notMatch(error.message, to, 'where it leads is not told')
  }
  t.equal(inner.connections(), 0)
})

t.test('at most 3 redirects', async t => {
  const host = await startImageHost(t, ({ url = '' }, reply) => {
    const left = Number(url.slice(1))
    if (left > 0) redirect(reply, `/${left - 1}`, [301, 303, 307, 308][left % 4])
    else if (left === 0) reply.end(FILE)
    else redirect(reply, url)
  })
  const { links } = await setUp(t, { hosts: `*:${host.port}` })
  t.strictSame(await fetched(links, `http://a.test:${host.port}/3`), FILE)
  t.equal(host.requests.length, 4)
  for (const path of ['4', '-1']) {
    host.requests.length = 0
    t.match(await refused(links, `http://a.test:${host.port}/${path}`), {
      code: 'url_failed',
      message: /more than 3 times/,
    })
    t.equal(host.requests.length, 4)
  }
})

t.test('https, and no way back to http', async t => {
  const dir = t.testdir({})
  const made = { key: join(dir, 'key.pem'), cert: join(dir, 'cert.pem') }
  const subject = ['-subj', '/CN=img.test', '-addext', 'subjectAltName=DNS:img.test', '-days', '2']
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-keyout', made.key, '-out', made.cert], {
    stdio: 'pipe',
  })
  const tls = { key: readFileSync(made.key, 'utf8'), cert: readFileSync(made.cert, 'utf8') }
  const plain = await startImageHost(t, (_request, reply) => redirect(reply, `https://img.test:${secure.port}/`))
  const secure = await startImageHost(
    t,
    ({ url }, reply) => (url === '/' ? void reply.end(FILE) : redirect(reply, `http://img.test:${plain.port}/`)),
    { tls },
  )
  const setup = { hosts: `*:${secure.port},*:${plain.port}` }
  const { links } = await setUp(t, { ...setup, ca: tls.cert })
  t.strictSame(await fetched(links, `https://img.test:${secure.port}/`), FILE)
  t.strictSame(await fetched(links, `http://img.test:${plain.port}/`), FILE, 'from http to https')
  t.match(await refused(links, `https://img.test:${secure.port}/down`), {
    code: 'url_not_allowed',
    message: /http, after https/,
  })
  t.equal(plain.requests.length, 1)
  t.match(
    await refused(links, `https://other.test:${secure.port}/`),
    { code: 'url_failed' },
    'a certificate of another name',
  )
  const { links: wary } = await setUp(t, setup)
  t.match(await refused(wary, `https://img.test:${secure.port}/`), { code: 'url_failed' }, 'a certificate of nobody')
})
