import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { form, IMAGE, listen } from '../../support/fakes/app.js'

/** Begins a body and does not go on. */
async function stall(port: number, length: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST /crop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`)
  return socket
}

t.test('bodies in progress take so much memory at most, whatever clients do', async t => {
  // 65 of the largest bodies: one for the queue, 64 to spare
  const { port, url, engine } = await listen(t, {}, { QUEUE_SIZE: '1', MAX_BODY_BYTES: '50000' })
  const { payload, headers } = await form({ image: IMAGE, question: 'q' })
  const ask = () => fetch(`${url}/crop`, { method: 'POST', body: new Uint8Array(payload), headers })
  const inFlight = async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return Number(/^cropvlm_requests_in_flight (\d+)$/m.exec(text)?.[1]) - 1
  }
  const until = async (count: number) => {
    while ((await inFlight()) !== count) await new Promise(resolve => setTimeout(resolve, 5))
  }
  const lengths = ['content-length: 50000', 'transfer-encoding: chunked']
  const sockets = await Promise.all(Array.from({ length: 65 }, (_, i) => stall(port, lengths[i % 2] ?? '')))
  await until(65)

  const refused = await ask()
  t.equal(refused.status, 429)
  t.match(refused.headers.get('retry-after'), /^\d+$/)
  t.match(await refused.json(), { error: { code: 'queue_full' } })
  t.equal((await fetch(`${url}/health`)).status, 200)

  sockets.pop()?.destroy()
  await until(64)
  for (let i = 0; i < 3; i++) t.equal((await ask()).status, 200, 'what has been answered counts no more')
  t.equal(engine.jobs.length, 3)
  for (const socket of sockets) socket.destroy()
  await until(0)
})
