/** Rows 41, 42 and 46: what a link may name. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Answer } from '../../../support/network/dns-server.js'
import type { Row } from '../../row.js'
import { QUESTION } from '../../world/client.js'
import { page } from '../../world/pictures/page.js'
import { each, type World } from '../../world/world.js'
import { linkWorld } from './service.js'

const NOT_ALLOWED = '403 url_not_allowed'

export const NAMES: readonly Row[] = [
  {
    number: 41,
    fault: 'URL to loopback, private, metadata, mapped IPv6',
    behaviour: '403 `url_not_allowed`, no connection, links on or off',
    isShort: true,
    run: innerAddresses,
  },
  {
    number: 42,
    fault: 'DNS rebinding, mixed records',
    behaviour: '403 `url_not_allowed`: all addresses of a name are checked, and what was checked is connected to',
    run: rebinding,
  },
  {
    number: 46,
    fault: 'URL with credentials or odd port',
    behaviour: '400 `invalid_url`, no connection',
    run: credentials,
  },
]

/** Addresses of this machine and of others that a service may reach and strangers may not, in many spellings. */
const INNER = [
  '127.0.0.1',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '169.254.169.254',
  '100.100.100.200',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.0.1',
]

async function innerAddresses(world: World): Promise<string> {
  let connections = 0
  const trap = createServer(socket => {
    connections += 1
    socket.destroy()
  }).listen(0, '0.0.0.0')
  world.teardown(() => trap.close())
  await once(trap, 'listening')
  const { port } = trap.address() as AddressInfo
  const links = INNER.map(address => `http://${address}:${port}/page.png`)
  const others = ['file:///etc/passwd', 'ftp://127.0.0.1/a.png', 'gopher://127.0.0.1/']
  const off = await world.shared()
  const on = await world.start({ IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*:${port}` })
  const forms = (link: string) => [link, ` ${link}`, { url: link }, { image_url: { url: link } }]
  for (const service of [off, on])
    for (const link of [...links, ...others])
      for (const image of forms(link)) {
        const reply = await service.json({ image, question: QUESTION })
        world.refused(reply, NOT_ALLOWED)
      }
  assert.equal(connections, 0, 'a connection was made')
  return `${links.length + others.length} links in 4 forms, links on and off: ${NOT_ALLOWED}, no connection`
}

const givePage: RequestListener = async (_request, reply) => {
  reply.writeHead(200, { connection: 'close' }).end(await page('png'))
}

async function rebinding(world: World): Promise<string> {
  const zone: Record<string, Answer> = {
    'mixed.test': ['127.0.0.1', '127.0.0.2'],
    'mixed-kinds.test': ['127.0.0.1', '::1'],
    'mapped.test': ['::ffff:7f00:2'],
    'metadata.test': ['169.254.169.254'],
    'lan.test': ['10.0.0.7'],
    'nobody.test': null,
  }
  const rebound = (name: string, nth: number): Answer =>
    name === 'rebind.test' ? [nth === 0 ? '127.0.0.1' : '127.0.0.2'] : (zone[name] ?? null)
  const { ask, host, inner } = await linkWorld(world, { answer: givePage, zone: rebound })
  const first = world.answered(await ask('http://rebind.test:%/'))
  assert.equal(host.connections(), 1)
  const second = world.refused(await ask('http://rebind.test:%/'), NOT_ALLOWED)
  const mixed = await each(zone, async (_answer, name) =>
    world.refused(await ask(`http://${name}:%/`), NOT_ALLOWED, 3000),
  )
  assert.deepEqual([host.connections(), inner.connections()], [1, 0], 'a connection was made')
  return `public at first: ${first}; then inner: ${second}; ${mixed}; no connection`
}

async function credentials(world: World): Promise<string> {
  const { ask, host, inner } = await linkWorld(world, { answer: givePage })
  const links = {
    'a user': 'http://me@img.test:%/',
    'a user and a password': 'http://me:secret@img.test:%/',
    'a password': 'http://:secret@img.test:%/',
    'a host in the place of a user': 'http://127.0.0.2@img.test:%/',
    'the port of ssh': 'http://img.test:22/',
    'the port of a database': 'https://img.test:5432/',
    'port 0': 'http://img.test:0/',
    'a port that is none': 'http://img.test:99999/',
    'no host': 'http://',
  }
  const seen = await each(links, async link => {
    const reply = await ask(link)
    assert.ok(!reply.text.includes('secret'), 'the password is in the reply')
    return world.refused(reply, '400 invalid_url')
  })
  assert.deepEqual([host.connections(), inner.connections()], [0, 0], 'a connection was made')
  world.answered(await ask('http://img.test:%/'))
  return seen
}
