import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** How long a client may go on sending a body that has been answered already. */
const LINGER_MS = 2000

/**
 * Keeps a connection open for a moment after a reply to a body that is still being sent (it is too large, or its
 * deadline has passed), and discards the rest of that body. Closing at once would reset the connection, and the client
 * would never read the reply.
 */
export function addLingeringClose(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => linger(request, reply))
}

/** The same for one reply, to be called where it is sent past Fastify. */
export function linger(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = request
  // under `inject`, in tests, `complete` is undefined
  if (raw.complete !== false || raw.destroyed) return
  // Fastify asks for an immediate close after a body it could not parse
  reply.removeHeader('connection')
  const { socket } = raw
  // so does Node after a reply that says that the connection is to be closed; it is, once the body has come. A body that the
  // client asks about before it sends it does not come.
  let closes = false
  socket.destroySoon = () => {
    closes = true
    if (raw.headers.expect !== undefined) socket.end()
  }
  let timer: NodeJS.Timeout | undefined
  // the connection may serve many such requests, so that all has to be as it was
  const over = () => {
    clearTimeout(timer)
    Reflect.deleteProperty(socket, 'destroySoon')
    raw.off('end', over)
    socket.off('close', over)
    if (closes) socket.destroySoon()
  }
  reply.raw.once('finish', () => {
    if (raw.complete) return over()
    timer = setTimeout(() => socket.destroy(), LINGER_MS)
    raw.once('end', over)
    socket.once('close', over)
    raw.resume()
  })
}
