/** Rows 43 to 45: where a link may lead on, and what its host may send. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import type { Row } from '../../row.js'
import { frugal } from '../../world/frugal.js'
import { page } from '../../world/pictures/page.js'
import { memoryMb } from '../../world/proc.js'
import { each, type World } from '../../world/world.js'
import { linkWorld } from './service.js'

export const REPLIES: readonly Row[] = [
  {
    number: 43,
    fault: 'redirect to private or file:',
    behaviour: '403 `url_not_allowed`: each hop is checked as the first is',
    run: redirects,
  },
  { number: 44, fault: 'redirect loop', behaviour: '422 `url_failed` after 3 redirects', run: loop },
  {
    number: 45,
    fault: 'endless or slow URL body',
    behaviour: '413 `body_too_large` at `MAX_BODY_BYTES`, 504 `url_timeout` at `IMAGE_URL_TIMEOUT_MS`',
    run: endless,
  },
]

async function redirects(world: World): Promise<string> {
  const { ask, host, inner } = await linkWorld(world, {
    answer: async ({ url = '' }, reply) => {
      const to = decodeURIComponent(url.slice(1))
      if (to === 'page') reply.end(await page('png'))
      else reply.writeHead(302, { location: to }).end()
    },
    zone: name => [name === 'inner.test' ? '127.0.0.2' : '127.0.0.1'],
  })
  const places = {
    'an inner address': `http://127.0.0.2:${inner.port}/page`,
    'an inner name': `//inner.test:${inner.port}/page`,
    metadata: 'http://169.254.169.254/latest/meta-data/',
    'mapped IPv6': `http://[::ffff:127.0.0.2]:${inner.port}/page`,
    'a file': 'file:///etc/passwd',
    'a data URL': 'data:image/png;base64,AAAA',
    'another port': 'http://img.test:22/',
    credentials: `http://me:secret@img.test:${host.port}/page`,
  }
  const seen = await each(places, async place => {
    const reply = await ask(`http://img.test:%/${encodeURIComponent(place)}`)
    assert.ok(!reply.text.includes(place), 'the reply tells where it leads')
    return world.refused(reply, '403 url_not_allowed', 3000)
  })
  assert.equal(inner.connections(), 0, 'a connection was made')
  return `${seen}; to a page: ${world.answered(await ask('http://img.test:%/%2Fpage'))}`
}

async function loop(world: World): Promise<string> {
  const { ask, host } = await linkWorld(world, {
    answer: ({ url = '' }, reply) => void reply.writeHead(301, { location: url === '/a' ? '/b' : '/a' }).end(),
  })
  const seen = world.refused(await ask('http://img.test:%/a'), '422 url_failed', 3000)
  assert.equal(host.requests.length, 4, 'requests that were sent')
  return `${seen}, 4 requests`
}

async function endless(world: World): Promise<string> {
  const sent = { bytes: 0 }
  const { ask, service } = await linkWorld(world, {
    answer: ({ url }, reply) => {
      if (url === '/flood') flood(reply, sent)
      else if (url === '/told') reply.writeHead(200, { 'content-length': 2 ** 40 }).write('x')
      else if (url === '/drip') drip(reply)
      // /mute is not answered
    },
    env: { IMAGE_URL_TIMEOUT_MS: '1500' },
  })
  const before = memoryMb(service.pid)
  const large = await each({ 'without end': 'flood', 'a length of a terabyte': 'told' }, async path =>
    world.refused(await ask(`http://img.test:%/${path}`), '413 body_too_large', 3000),
  )
  assert.ok(sent.bytes < 2 ** 27, `${sent.bytes} bytes were taken`)
  const slow = await each({ 'byte by byte': 'drip', mute: 'mute' }, async path =>
    world.refused(await ask(`http://img.test:%/${path}`), '504 url_timeout', 3000),
  )
  return `${large}; ${slow}; ${frugal(service.pid, before)}`
}

/** Writes for as long as somebody reads. */
function flood(reply: ServerResponse, sent: { bytes: number }): void {
  const piece = Buffer.alloc(1 << 20, 0xff)
  const more = () => {
    while (!reply.destroyed && reply.write(piece)) sent.bytes += piece.length
    sent.bytes += piece.length
  }
  reply.on('drain', more)
  more()
}

function drip(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-type': 'image/png' })
  const timer = setInterval(() => reply.write('x'), 20)
  reply.on('close', () => clearInterval(timer))
}
