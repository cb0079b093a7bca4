import t from 'tap'
import { type HostRule, readImageUrls } from '../../src/config/image-urls.js'
import { checkLink } from '../../src/links/rules.js'

function rules(hosts: string): readonly HostRule[] {
  return readImageUrls({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: hosts }, [])?.hosts ?? []
}

/** What is fetched; or why nothing is. */
function check(link: string, hosts: string, from?: string): string {
  const checked = checkLink(link, rules(hosts), from === undefined ? undefined : new URL(from))
  return checked.url?.href ?? `no: ${(checked as { refusal: string }).refusal}`
}

t.test('hosts', async t => {
  const rows: [link: string, hosts: string, allowed: boolean][] = [
    ['https://cdn.example.com/a.png?x=1', 'cdn.example.com', true],
    ['https://CDN.EXAMPLE.com./a.png', 'cdn.example.com', true],
    ['https://cdn.example.com/a.png', 'CDN.Example.com.', true],
    ['https://example.com/a.png', 'cdn.example.com', false],
    ['https://xcdn.example.com/a.png', 'cdn.example.com', false],
    ['https://cdn.example.com.evil.org/a.png', 'cdn.example.com', false],
    ['https://a.example.com/', '*.example.com', true],
    ['https://a.b.example.com/', '*.example.com', true],
    ['https://example.com/', '*.example.com', false],
    ['https://evilexample.com/', '*.example.com', false],
    ['https://example.com/', '*.example.com, example.com', true],
    ['https://anything.example/', '*', true],
    ['https://münchen.example/', 'xn--mnchen-3ya.example', true],
    ['https://xn--mnchen-3ya.example/', 'münchen.example', true],
    ['http://8.8.8.8/', '8.8.8.8', true],
    ['http://[2606:4700::1111]/', '[2606:4700:0::1111]', true],
  ]
  for (const [link, hosts, allowed] of rows) {
    const checked = check(link, hosts)
    t.equal(
      checked,
      allowed ? new URL(link).href : `no: its host is not one from which this service may fetch (IMAGE_URL_HOSTS)`,
    )
  }
})

t.test('ports: the own one of the scheme, unless an entry names another', async t => {
  const rows: [link: string, hosts: string, allowed: boolean][] = [
    ['http://a.example:80/', 'a.example', true],
    ['https://a.example:443/', 'a.example', true],
    ['http://a.example:443/', 'a.example', false],
    ['https://a.example:8443/', 'a.example', false],
    ['https://a.example:8443/', 'a.example:8443', true],
    ['https://a.example/', 'a.example:8443', false],
    ['https://a.example/', 'a.example:8443,a.example', true],
    ['https://a.example:22/', '*', false],
    ['https://a.example:8443/', '*,*.example:8443', true],
    ['https://a.example/', 'a.example:443', true],
    ['http://a.example/', 'a.example:443', false],
    ['http://a.example:8080/', '*:8080', true],
  ]
  for (const [link, hosts, allowed] of rows)
    t.equal(check(link, hosts).startsWith('no: its port'), !allowed, `${link} ${hosts}`)
})

t.test('schemes, users and what is no URL', async t => {
  for (const link of [
    'file:///etc/passwd',
    'ftp://a.example/',
    'gopher://a.example/',
    'data:image/png;base64,AA==',
    'ws://a.example/',
  ])
    t.equal(check(link, '*'), 'no: it is neither http nor https', link)
  for (const link of [
    'http://user@a.example/',
    'http://user:pass@a.example/',
    'http://:pass@a.example/',
    'http://8.8.8.8@a.example/',
  ])
    t.equal(check(link, '*'), 'no: it holds a user name or a password', link)
  for (const link of ['http://', 'http://a b.example/', 'http://[::1/', 'http://a.example:99999/', 'http://1.2.3.4.5/'])
    t.equal(check(link, '*'), 'no: it is no valid URL', link)
  t.match(check(`http://a.example/${'a'.repeat(8192)}`, '*'), /^no: it is longer than 8192/)
})

t.test('an address in another spelling is the address that the rules see', async t => {
  for (const host of [
    '0x7f.1',
    '2130706433',
    '017700000001',
    '127.1',
    '0177.0.0.1',
    '①②⑦.⓪.⓪.①',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
  ])
    t.equal(check(`http://${host}/`, '127.0.0.1').replace('1./', '1/'), 'http://127.0.0.1/', host)
  t.equal(check('http://[::ffff:127.0.0.1]/', '*'), 'http://[::ffff:7f00:1]/')
})

t.test('redirects', async t => {
  const from = 'https://a.example/b/c?d'
  t.equal(check('e.png', '*', from), 'https://a.example/b/e.png')
  t.equal(check('//b.example/', '*', from), 'https://b.example/')
  t.equal(check('http://a.example/', '*', from), 'no: it is http, after https')
  t.equal(check('https://b.example/', '*', 'http://a.example/'), 'https://b.example/')
  t.equal(check('http://b.example/', '*', 'http://a.example/'), 'http://b.example/')
  t.equal(
    check('//b.example/', 'a.example', from),
    'no: its host is not one from which this service may fetch (IMAGE_URL_HOSTS)',
  )
})
