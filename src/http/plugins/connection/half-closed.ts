/**
 * Answers clients that close their half of the connection as soon as their request is out, as `nc -N` and many a script do.
 * Node (to 24) takes that for a client that has gone. On the wire both begin alike, with a FIN; only what is sent to the
 * client tells one from the other, as a system whose program has gone answers it with a reset. So the beginning of the
 * reply, which is the same whatever it will be, is sent ahead of the rest, one letter at a time.
 *
 * A client that closes its half while a reply is already streamed to it has gone: it kept the connection open for as long as
 * it waited, and an upstream that is silent for a while would not find out.
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** What every reply begins with. */
const START = 'HTTP/1.1 '
/** Until the second letter, in milliseconds. Each next one takes twice as long: they last for the first minute. */
const FIRST_MS = 250

/** Call before the hooks that begin work. */
export function addHalfClosed(app: FastifyInstance): void {
  // not documented: Node's own handler of 'end' (lib/_http_server.js, socketOnEnd) aborts the request without it
  Object.assign(app.server, { httpAllowHalfOpen: true })
  app.addHook('onRequest', ({ raw: { socket }, routeOptions }, { raw: response }, done) => {
    // under `inject`, in tests, the socket is none
    if (typeof socket?.readableEnded !== 'boolean') return done()
    const streams = routeOptions.config?.stream === true
    const onEnd = () => {
      if (streams && response.headersSent && response.socket === socket) socket.destroy()
      else sendAhead(socket, response)
    }
    response.once('close', () => socket.off('end', onEnd))
    if (socket.readableEnded) onEnd()
    else socket.once('end', onEnd)
    done()
  })
}

/** Sends the letters of `START` until the reply comes, and then leaves those that are out, out of the reply. */
function sendAhead(socket: Socket, response: ServerResponse): void {
  // of several requests on one connection, those that wait are told by the reply to the first
  if (response.headersSent || socket.writableEnded || response.socket !== socket) return
  const { write } = socket
  let sent = 0
  let timer: NodeJS.Timeout | undefined
  const next = () => {
    write.call(socket, START.charAt(sent))
    sent += 1
    if (sent < START.length) timer = setTimeout(next, FIRST_MS * 2 ** (sent - 1))
  }
  const stop = () => {
    clearTimeout(timer)
    socket.write = write
  }
  socket.write = ((data: string | Uint8Array, ...rest: []) => {
    stop()
    return write.call(socket, data.slice(sent), ...rest)
  }) as Socket['write']
  response.once('close', stop)
  next()
}
