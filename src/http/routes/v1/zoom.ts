import type { FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import { applyEdits } from '../../../proxy/json/edit.js'
import { ZOOM_HEADER, zoomHeader } from '../../../proxy/options.js'
import { prepare } from '../../../proxy/prepare.js'
import { deadlineOf } from '../../plugins/deadline.js'
import { readBody } from './body.js'
import { type ProxyParts, tell } from './proxy.js'

/** The handler of `POST /zoom`: the request that was sent, with crops put in, for those who call the model themselves. */
export function zoomHandler(proxy: ProxyParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const header = zoomHeader(request.headers[ZOOM_HEADER])
    const json = await readBody(request, proxy.config.proxyMaxBodyBytes)
    const { edits, verdict, chat } = await prepare(proxy, json, header, deadlineOf(request))
    if (!chat)
      throw new CropVlmError(
        'invalid_body',
        'Send the JSON of a chat request: of OpenAI (`messages`, or `input`) or Anthropic (`messages`).',
      )
    tell(proxy, verdict, request, reply)
    if (verdict.error) throw verdict.error
    return reply.type('application/json').send(applyEdits(json, edits))
  }
}
