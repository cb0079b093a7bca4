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
  // Fastify asks for an immediate close after a body it could not parse, and Node does so where the client wants a close
  const closesAfter = !reply.raw.shouldKeepAlive
  reply.removeHeader('connection')
  reply.raw.shouldKeepAlive = true
  reply.raw.once('finish', () => {
    const { socket } = raw
    if (raw.complete || !socket) return
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    const over = () => clearTimeout(timer)
    socket.once('close', over)
    raw.once('end', () => {
      over()
      // the connection may serve many such requests, so the listener has to be removed from it
      socket.off('close', over)
      if (closesAfter) socket.end()
    })
    raw.resume()
  })
}
