import type { FastifyReply, FastifyRequest } from 'fastify'
import { OPTIONS_FIELD } from '../../../proxy/chat/conversation.js'
import { BlankMember } from '../../../proxy/json/blank-member.js'
import { applyEdits } from '../../../proxy/json/edit.js'
import type { LocalShape } from '../../../proxy/local/shape.js'
import { ZOOM_HEADER, zoomHeader } from '../../../proxy/options.js'
import { prepare, untouched } from '../../../proxy/prepare.js'
import { NO_ZOOM, skipped, type Verdict } from '../../../proxy/verdict.js'
import { deadlineOf } from '../../plugins/deadline.js'
import { bodyStream, readBody } from './body.js'
import { answerLocally } from './local.js'
import { type Answered, type ProxyParts, pass, send, tell } from './proxy.js'

/** The handler of a route whose requests may get crops. @param shape How a target in this process answers. */
export function chatHandler(proxy: ProxyParts, shape: LocalShape) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const started = await start(proxy, shape, request, reply)
    // by now nothing holds the request's body any more
    if (!('upstream' in started)) return started.sent
    await pass(started, request, reply, started.verdict, proxy.observer)
    return reply
  }
}

type Started = (Answered & { verdict: Verdict }) | { sent: unknown }

/** All that needs the body of the request. */
async function start(
  proxy: ProxyParts,
  shape: LocalShape,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Started> {
  const [first, ...others] = proxy.config.targets
  const header = zoomHeader(request.headers[ZOOM_HEADER])
  if (header === 'off' && first.kind === 'openai' && others.length === 0) {
    tell(proxy, NO_ZOOM, request, reply)
    const blank = isCompressed(request) ? [] : [new BlankMember(OPTIONS_FIELD)]
    const body = bodyStream(request, proxy.config.proxyMaxBodyBytes, blank)
    return { ...(await send(proxy, request, first, body, { model: null })), verdict: NO_ZOOM }
  }
  const json = await readBody(request, proxy.config.proxyMaxBodyBytes)
  const prepared = isCompressed(request)
    ? untouched(first, skipped('compressed'))
    : await prepare(proxy, json, header, deadlineOf(request))
  const { target, edits, renaming, verdict } = prepared
  tell(proxy, verdict, request, reply)
  if (verdict.error) throw verdict.error
  if (target.kind !== 'openai') return { sent: await answerLocally(proxy, shape, json, prepared, request, reply) }
  const model = renaming.length > 0 ? target.model : (prepared.chat?.model?.text ?? null)
  return { ...(await send(proxy, request, target, applyEdits(json, [...edits, ...renaming]), { model })), verdict }
}

function isCompressed({ headers }: FastifyRequest): boolean {
  return (headers['content-encoding'] ?? 'identity') !== 'identity'
}
