import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pino } from 'pino'
import t from 'tap'
import { limitConnections } from '../../../../src/http/plugins/connection/open-files.js'
import { compiledService } from '../../../support/compiled.js'
import { startServer } from '../../../support/server.js'

t.setTimeout(240_000)

/** Connections, each told as it is: whether the server has kept it. */
async function dial(port: number, count: number): Promise<{ kept: Socket[]; refused: number }> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'))
  const states = sockets.map(
    socket =>
      new Promise<boolean>(resolve => {
        // a reply, or the end: not `once`, which rejects where the connection is reset
        socket.on('error', () => {})
        socket.once('data', () => resolve(true))
        socket.once('close', () => resolve(false))
        socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
      }),
  )
  const isKept = await Promise.all(states)
  return { kept: sockets.filter((_, i) => isKept[i]), refused: isKept.filter(kept => !kept).length }
}

t.test('more connections than files may be open: refused with one line in the log, and room again after', async t => {
  const limit = 300
  const server = startServer(t, compiledService(), {}, limit)
  const url = String((await server.line('ready; try')).url)
  const { kept, refused } = await dial(Number(new URL(url).port), 260)
  t.equal(kept.length, limit - 128)
  t.equal(refused, 260 - kept.length)
  await server.line('connections are open')
  const lines = server.lines.filter(({ level }) => Number(level) > 30)
  t.match(lines, [
    {
      level: 40,
      openFiles: limit,
      msg: /^172 connections are open, all that a limit of 300 .* Raise it \(ulimit -n\)$/,
    },
  ])
  t.equal(lines.length, 1)
  for (const socket of kept) socket.destroy()
  while ((await fetch(`${url}/health/ready`).catch(() => null))?.status !== 200);
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
})

t.test('an error of accepting is one line; an error of listening is left to who listens', async t => {
  const lines: Record<string, unknown>[] = []
  const log = pino({}, { write: text => void lines.push(JSON.parse(text)) })
  const server = createServer()
  limitConnections(server, log, null)
  server.once('error', () => {})
  server.emit('error', new Error('listen EADDRINUSE'))
  t.same(lines, [])
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  for (let i = 0; i < 3; i++) server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }))
  t.match(lines, [{ level: 40, code: 'EMFILE', msg: 'a connection cannot be accepted: accept EMFILE' }])
  t.equal(lines.length, 1)
  t.equal((server.address() as AddressInfo).address, '127.0.0.1')
})
