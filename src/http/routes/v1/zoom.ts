import type { FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import { applyEdits } from '../../../proxy/json/edit.js'
import { ZOOM_HEADER, zoomHeader } from '../../../proxy/options.js'
import { prepare } from '../../../proxy/prepare.js'
import { deadlineOf } from '../../plugins/deadline.js'
import { readBody } from './body.js'
import { ofOneRequest, type ProxyParts, tell } from './proxy.js'
import { readableBody, unreadable } from './readable.js'

/** The handler of `POST /zoom`: the request that was sent, with crops put in, for those who call the model themselves. */
export function zoomHandler(proxy: ProxyParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const header = zoomHeader(request.headers[ZOOM_HEADER])
    const { proxyMaxBodyBytes } = proxy.config
    const body = await readBody(request, proxyMaxBodyBytes)
    const { json, error } = await readableBody(request, reply, body, proxyMaxBodyBytes)
    if (error) throw error
    if (json === null) throw unreadable()
    const { edits, verdict, chat } = await prepare(ofOneRequest(proxy), json, header, deadlineOf(request))
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
