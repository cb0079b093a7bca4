/**
 * `Expect: 100-continue`: the client waits for leave to send its body. Node gives it at once; here it is given when the
 * headers have passed every check, so that a body that is too large, or comes without a key, is never sent.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance } from 'fastify'

export function addExpectContinue(app: FastifyInstance): void {
  const waiting = new WeakSet<IncomingMessage>()
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request)
    app.server.emit('request', request, response)
  })
  // after all `onRequest` hooks, before the body is read
  app.addHook('preParsing', ({ raw }, reply, payload, done) => {
    if (waiting.delete(raw)) reply.raw.writeContinue()
    done(null, payload)
  })
  // whether the body will come all the same is not known, so that nothing else can be read from this connection
  app.addHook('onSend', async ({ raw }, reply) => {
    if (waiting.has(raw)) reply.header('connection', 'close')
  })
}
