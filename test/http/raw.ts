/** Requests that are written by hand, and what comes back. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Envelope } from '../support/fakes/app.js'

/** Writes a request by hand. */
export async function dial(
  port: number,
  path: string,
  headers: string[],
  body: Uint8Array | string = '',
): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  // a reset is what some of these tests are about
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write([`POST ${path} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n'))
  if (body.length > 0) socket.write(body)
  return socket
}

/** Everything until the server closes. */
export async function readAll(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  // not `once`, which rejects where the server resets the connection after its reply
  await new Promise(resolve => socket.on('close', resolve))
  return text
}

export function parse(text: string): { status: number; body: Envelope } {
  return { status: Number(text.split(' ', 2)[1]), body: JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) }
}
