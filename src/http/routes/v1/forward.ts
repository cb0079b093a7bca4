import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TargetConfig } from '../../../config/service.js'
import { CropVlmError } from '../../../errors.js'
import { bodyStream } from './body.js'
import { type ProxyParts, pass, send } from './proxy.js'

/** The handler of all that is forwarded as it is, to the default target. */
export function forwardHandler(proxy: ProxyParts) {
  const [target] = proxy.config.targets
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (target.kind !== 'openai')
      throw new CropVlmError(
        'not_found',
        'The model in this process answers /v1/chat/completions, /v1/responses, /v1/messages and /v1/models alone; for other paths set TARGET_BASE_URL and TARGET_MODEL.',
      )
    await pass(
      await send(proxy, request, target, bodyStream(request, proxy.config.proxyMaxBodyBytes), { chat: null }),
      request,
      reply,
    )
    return reply
  }
}

/** The handler of `GET /v1/models`: the default target's own list, or where that has none, the targets. */
export function modelsHandler(proxy: ProxyParts) {
  const { targets } = proxy.config
  const started = Math.floor(Date.now() / 1000)
  const forward = forwardHandler(proxy)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (targets[0].kind === 'openai') return await forward(request, reply)
    return reply.type('application/json').send({ object: 'list', data: targets.map(target => entry(target, started)) })
  }
}

function entry({ name }: TargetConfig, created: number) {
  return { id: name, object: 'model', created, owned_by: 'cropvlm' }
}
