import { once } from 'node:events'
import { createServer, get, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { relay } from '../../../src/proxy/upstream/relay.js'

/** The reply to a request whose client reads nothing yet. */
async function asked(t: Test): Promise<{ response: ServerResponse; hangUp(): void; text: Promise<string> }> {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const request = get({ port: (server.address() as AddressInfo).port, agent: false })
  const text = new Promise<string>(resolve => {
    request.once('error', () => resolve('cut'))
    request.once('response', reply => {
      let all = ''
      reply.on('data', chunk => {
        all += chunk
      })
      reply.once('end', () => resolve(all)).once('error', () => resolve('cut'))
    })
  })
  const [, response] = await once(server, 'request')
  return { response, hangUp: () => request.destroy(), text }
}

const reply = (body: Readable) => ({ status: 200, statusText: 'OK', headers: [], body, hasBegun: () => {} })

t.test('a reply goes through whole, and each chunk is told', async t => {
  const { response, text } = await asked(t)
  const seen: string[] = []
  await relay(reply(Readable.from([Buffer.from('a'), Buffer.from('bc')])), response, {}, chunk =>
    seen.push(String(chunk)),
  )
  t.equal(await text, 'abc')
  t.strictSame(seen, ['a', 'bc'])
})

t.test('a reply that breaks off, or has broken off already, cuts the connection', async t => {
  const error = new Error('reset')
  for (const breakOff of [(body: Readable) => body.destroy(error), (body: Readable) => body.destroy()]) {
    const { response, text } = await asked(t)
    const body = new Readable({ read() {} })
    const relayed = relay(reply(body), response, {})
    breakOff(body)
    await t.rejects(relayed)
    t.equal(await text, 'cut')
  }
  const { response, text } = await asked(t)
  const closed = new Readable({ read() {} }).destroy()
  await once(closed, 'close')
  await t.rejects(relay(reply(closed), response, {}))
  t.equal(await text, 'cut')
})

t.test('a client that hangs up, or has hung up already, ends the reply of the upstream', async t => {
  for (const isLate of [false, true]) {
    const { response, hangUp } = await asked(t)
    const body = new Readable({ read() {} })
    const gone = once(response, 'close')
    hangUp()
    if (isLate) await gone
    await t.rejects(relay(reply(body), response, {}))
    t.ok(body.destroyed)
  }
})
