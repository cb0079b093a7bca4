/** The proxy: `/v1` as an OpenAI-compatible server has it, with crops put into chat requests; and `/zoom`. */
import type { FastifyInstance } from 'fastify'
import { chatCompletion } from '../../../proxy/local/chat-completion.js'
import { message } from '../../../proxy/local/message.js'
import { response } from '../../../proxy/local/response.js'
import type { LocalShape } from '../../../proxy/local/shape.js'
import { chatHandler } from './chat.js'
import { forwardHandler, modelsHandler } from './forward.js'
import type { ProxyParts } from './proxy.js'
import { CHAT_SCHEMAS, MODELS_SCHEMA, ZOOM_SCHEMA } from './schemas.js'
import { zoomHandler } from './zoom.js'

/** The routes whose requests may get crops. */
const CHATS: readonly [url: string, schema: object, shape: LocalShape][] = [
  ['/v1/chat/completions', CHAT_SCHEMAS.chatCompletions, chatCompletion],
  ['/v1/responses', CHAT_SCHEMAS.responses, response],
  ['/v1/messages', CHAT_SCHEMAS.messages, message],
]

export async function proxyRoutes(app: FastifyInstance, proxy: ProxyParts): Promise<void> {
  const { proxyMaxBodyBytes: maxBodyBytes } = proxy.config
  await app.register(async v1 => {
    // bodies are forwarded as they are, whatever they are: the handlers read them, or pass them on as they come
    v1.removeAllContentTypeParsers()
    v1.addContentTypeParser('*', (_request, _payload, done) => done(null))
    // the schemas of bodies are documentation
    v1.setValidatorCompiler(() => () => true)
    const options = { config: { work: true, stream: true, anyKeyHeader: true, maxBodyBytes } }
    for (const [url, schema, shape] of CHATS) v1.post(url, { ...options, schema }, chatHandler(proxy, shape))
    v1.post('/zoom', { ...options, schema: ZOOM_SCHEMA }, zoomHandler(proxy))
    v1.get('/v1/models', { ...options, schema: MODELS_SCHEMA }, modelsHandler(proxy))
    v1.route({
      ...options,
      method: ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'],
      url: '/v1/*',
      schema: { hide: true },
      handler: forwardHandler(proxy),
    })
  })
}
