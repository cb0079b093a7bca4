import t from 'tap'
import { byName, headerOf, replyHeaders, requestHeaders } from '../../../src/proxy/upstream/headers.js'

const NO_KEYS = { hasOwnKey: false, apiKey: null }

t.test('a request goes on with its headers as they were written, but for those of the connection', async t => {
  const raw = [
    ...['Host', 'a'],
    ...['X-Twice', '1'],
    ...['x-twice', '2'],
    ...['Content-Length', '3'],
    ...['Connection', 'close, x-hop , Keep-Alive'],
    ...['X-Hop', '1'],
    ...['Keep-Alive', 'timeout=5'],
    ...['Transfer-Encoding', 'chunked'],
    ...['Expect', '100-continue'],
    ...['TE', 'trailers'],
    ...['Upgrade', 'websocket'],
    ...['Proxy-Authorization', 'x'],
    ...['x-cropvlm-zoom', 'off'],
    ...['Content-Encoding', 'gzip'],
  ]
  t.strictSame(requestHeaders(raw, NO_KEYS), ['X-Twice', '1', 'x-twice', '2', 'Content-Encoding', 'gzip'])
})

t.test('keys', async t => {
  const bearer = ['Authorization', 'Bearer a', 'X', '1']
  const own = (apiKey: string | null) => ({ hasOwnKey: true, apiKey })
  t.strictSame(requestHeaders(bearer, NO_KEYS), bearer)
  t.strictSame(requestHeaders(bearer, { hasOwnKey: false, apiKey: 'k' }), bearer, "the caller's own goes before ours")
  t.strictSame(requestHeaders(['X', '1'], { hasOwnKey: false, apiKey: 'k' }), ['X', '1', 'authorization', 'Bearer k'])
  t.strictSame(requestHeaders(bearer, own('k')), ['X', '1', 'authorization', 'Bearer k'])
  t.strictSame(requestHeaders(['x-api-key', 'a'], own('k')), ['x-api-key', 'k'])
  t.strictSame(requestHeaders(['x-api-key', 'a', ...bearer], own(null)), ['X', '1'])
})

t.test('headers that the upstream has another value of', async t => {
  const raw = ['Api-Key', 'a', 'X', '1']
  t.strictSame(requestHeaders(raw, { ...NO_KEYS, replaced: ['api-key'] }), ['X', '1'])
})

t.test('a reply', async t => {
  const raw = [
    'Content-Length',
    '3',
    'Connection',
    'X-Hop',
    'X-Hop',
    '1',
    'Set-Cookie',
    'a',
    'Set-Cookie',
    'b',
    'X-CropVLM-ms',
    '1',
  ]
  t.strictSame(replyHeaders(raw), ['Content-Length', '3', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])
  t.equal(headerOf(raw, 'set-cookie'), 'a')
  t.equal(headerOf(raw, 'x'), undefined)
})

t.test('which origins may read a reply is said once, by this service where it says it', async t => {
  const raw = ['Access-Control-Allow-Origin', '*', 'X', '1', 'Vary', 'Accept']
  t.strictSame(replyHeaders(raw, { 'x-request-id': 'r' }), raw)
  for (const added of [{ vary: 'Origin' }, { 'access-control-allow-origin': '*' }])
    t.strictSame(replyHeaders(raw, added), ['X', '1', 'Vary', 'Accept'])
})

t.test('by name, for a client that writes the lines itself', async t => {
  const raw = ['X-Twice', '1', 'Accept', '*/*', 'x-twice', '2', '__proto__', 'x']
  t.strictSame(Object.entries(byName(raw)), [
    ['X-Twice', ['1', '2']],
    ['Accept', '*/*'],
    ['__proto__', 'x'],
  ])
})
