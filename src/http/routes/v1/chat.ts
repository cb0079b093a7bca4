import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ProxyZoom } from '../../../config/proxy.js'
import { CropVlmError, type ErrorCode } from '../../../errors.js'
import { OPTIONS_FIELD } from '../../../proxy/chat/conversation.js'
import { isReadable } from '../../../proxy/decode.js'
import { BlankMember } from '../../../proxy/json/blank-member.js'
import { applyEdits } from '../../../proxy/json/edit.js'
import type { LocalShape } from '../../../proxy/local/shape.js'
import { ZOOM_HEADER, zoomHeader } from '../../../proxy/options.js'
import { type Prepared, prepare, untouched } from '../../../proxy/prepare.js'
import type { Upstream } from '../../../proxy/upstream/upstream.js'
import { failed, NO_ZOOM, skipped, type Verdict } from '../../../proxy/verdict.js'
import { outcomeOf } from '../../../zoom/answer.js'
import { deadlineOf } from '../../plugins/deadline.js'
import { bodyStream, readBody } from './body.js'
import { answerLocally } from './local.js'
import { type Answered, ofOneRequest, type Passed, type ProxyParts, pass, send, tell } from './proxy.js'
import { encodingOf, readableBody, unreadable } from './readable.js'

/** The handler of a route whose requests may get crops. @param shape How a target in this process answers. */
export function chatHandler(proxy: ProxyParts, shape: LocalShape) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const started = await start(proxy, shape, request, reply)
    // by now nothing holds the request's body any more
    if (!('upstream' in started)) return started.sent
    count(proxy, started, await pass(started, request, reply))
    return reply
  }
}

/** A reply of an endpoint, which was asked at `began`. */
interface Begun extends Answered {
  verdict: Verdict
  began: number
}

type Started = Begun | { sent: unknown }

/** All that needs the body of the request. */
async function start(
  shared: ProxyParts,
  shape: LocalShape,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Started> {
  const proxy = ofOneRequest(shared)
  const [first, ...others] = proxy.config.targets
  const header = zoomHeader(request.headers[ZOOM_HEADER])
  const encoding = encodingOf(request)
  // what is compressed has to be unpacked, for our options in it
  const mayStream = encoding === null || !isReadable(encoding)
  if (header === 'off' && mayStream && first.kind === 'openai' && others.length === 0) {
    tell(proxy, NO_ZOOM, request, reply)
    const blank = encoding === null ? [new BlankMember(OPTIONS_FIELD)] : []
    const body = bodyStream(request, proxy.config.proxyMaxBodyBytes, blank)
    return await call(proxy, request, first, body, { verdict: NO_ZOOM, model: null })
  }
  const body = await readBody(request, proxy.config.proxyMaxBodyBytes)
  const { json, ...prepared } = await unpacked(proxy, body, header, request, reply)
  const { target, edits, renaming, verdict } = prepared
  tell(proxy, verdict, request, reply)
  if (verdict.error) throw verdict.error
  if (target.kind !== 'openai') {
    if (json === null) throw unreadable()
    return { sent: await answerLocally(proxy, shape, json, prepared, request, reply) }
  }
  const changes = [...edits, ...renaming]
  const model = renaming.length > 0 ? target.model : (prepared.chat?.model?.text ?? null)
  if (json === null || changes.length === 0) return await call(proxy, request, target, body, { verdict, model })
  const isUnpacked = encoding !== null
  return await call(proxy, request, target, applyEdits(json, changes), { verdict, model, isUnpacked })
}

/** What is to be done with a request; `json` is null where its body cannot be read. It goes on as it came then. */
async function unpacked(
  proxy: ProxyParts,
  body: Buffer,
  header: ProxyZoom | null,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Prepared & { json: Buffer | null }> {
  const { targets, proxyMaxBodyBytes, zoomFail } = proxy.config
  const { json, error } = await readableBody(request, reply, body, proxyMaxBodyBytes)
  if (json) return { ...(await prepare(proxy, json, header, deadlineOf(request))), json }
  const verdict = error ? failed(error, zoomFail === 'closed') : skipped('compressed')
  return { ...untouched(targets[0], header === 'off' ? NO_ZOOM : verdict), json }
}

/** Errors of a call that was made. */
const CALLED: readonly ErrorCode[] = ['target_failed', 'target_timeout', 'request_aborted']

interface CallOf {
  verdict: Verdict
  /** That the request asks for; null where that was not looked at. */
  model: string | null
  /** Whether the body is no longer in the coding that the request names. Default: false. */
  isUnpacked?: boolean
}

/** Sends a request on; an endpoint that gives no reply is counted. @throws CropVlmError What `send` throws. */
async function call(
  proxy: ProxyParts,
  request: FastifyRequest,
  upstream: Upstream,
  body: Parameters<typeof send>[3],
  { verdict, model, isUnpacked = false }: CallOf,
): Promise<Begun> {
  const began = performance.now()
  try {
    return { ...(await send(proxy, request, upstream, body, { chat: { model }, isUnpacked })), verdict, began }
  } catch (error) {
    // of other errors the target knows nothing
    if (CALLED.includes(CropVlmError.from(error).code))
      proxy.finder.zoom.observer.onTargetCall(upstream.name, outcomeOf(error), performance.now() - began, null)
    throw error
  }
}

/** Counts a reply that was passed on. */
function count({ observer, finder }: ProxyParts, { upstream, reply, verdict, began }: Begun, passed: Passed): void {
  const { tokens, error } = passed
  if (!error) observer.onReply(verdict, tokens)
  const outcome = error ? outcomeOf(error) : reply.status < 400 ? 'ok' : 'failed'
  const usage = tokens && { promptTokens: tokens.prompt, completionTokens: tokens.completion }
  finder.zoom.observer.onTargetCall(upstream.name, outcome, performance.now() - began, usage)
}
