/** Rows 58 and 59: SIGTERM. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Row } from '../row.js'
import type { Reply } from '../world/client.js'
import { many } from '../world/many.js'
import { page } from '../world/pictures/page.js'
import type { Service } from '../world/service.js'
import { until } from '../world/until.js'
import type { World } from '../world/world.js'

export const SHUTDOWN: readonly Row[] = [
  {
    number: 58,
    fault: 'SIGTERM under load',
    behaviour:
      'what was accepted is answered, a body that is still on its way included; new requests are refused; exit code 0',
    ends: 'service',
    run: underLoad,
  },
  {
    number: 59,
    fault: 'idle keep-alive at SIGTERM',
    behaviour: 'idle connections are closed within 5 s, exit code 0',
    ends: 'service',
    run: idle,
  },
]

async function underLoad(world: World): Promise<string> {
  const service = await world.start()
  const image = await page()
  const slow = await slowBody(service, image)
  const inFlight = many(20, i => service.crop(image, {}, { question: `What is ${i}?` }))
  const haveArrived = async () => (await service.metric('cropvlm_requests_in_flight')) >= 22
  await until(haveArrived, 500)
  const start = performance.now()
  service.kill('SIGTERM')
  await until(() => service.log.includes('SIGTERM'), 5000)
  const late = await service.crop(image)
  slow.finish()
  const replies = await inFlight
  const slowReply = await slow.reply
  assert.equal(await service.exit, 0)
  const ms = performance.now() - start
  const lost = replies.filter(({ status }) => status !== 200)
  assert.equal(lost.length, 0, `${lost.length} of 20 in flight were lost: ${lost.map(statusOf).join(', ')}`)
  assert.match(slowReply, /^HTTP\/1\.1 200 /, 'the request whose body was on its way')
  assert.ok([0, 503].includes(late.status), `a new request got ${late.status}`)
  world.within(30_000, ms, 'the end')
  return `20 in flight and one whose body was on its way answered, a new one ${late.status || 'not connected'}, exit 0 after ${Math.round(ms)} ms`
}

function statusOf({ status, body, text }: Reply): string {
  return `${status} ${body.error?.code ?? text}`
}

/** A request of which half of the body has been sent, on a connection of its own. */
async function slowBody(service: Service, image: Buffer) {
  const body = JSON.stringify({ image: image.toString('base64'), question: 'What is the total?' })
  const socket = await dial(service.url)
  const headers = ['POST /crop HTTP/1.1', 'host: x', 'content-type: application/json', `content-length: ${body.length}`]
  socket.write([...headers, '', body.slice(0, body.length / 2)].join('\r\n'))
  let text = ''
  socket.on('data', data => {
    text += data
  })
  const reply = new Promise<string>(resolve => socket.on('close', () => resolve(text)))
  return { reply, finish: () => socket.end(body.slice(body.length / 2)) }
}

async function dial(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function idle(world: World): Promise<string> {
  const service = await world.start()
  const sockets = await many(3, () => dial(service.url))
  // two that have been used, and one on which nothing has come yet
  for (const socket of sockets.slice(1)) {
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
    await once(socket, 'data')
  }
  const closed = Promise.all(sockets.map(socket => new Promise(resolve => socket.resume().on('close', resolve))))
  const start = performance.now()
  service.kill('SIGTERM')
  await closed
  const ms = performance.now() - start
  world.within(5000, ms, 'closing')
  assert.equal(await service.exit, 0)
  return `3 connections closed after ${Math.round(ms)} ms, exit 0`
}
