import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { localAnswer } from '../../../proxy/local/answer.js'
import { localOptions } from '../../../proxy/local/options.js'
import type { LocalShape } from '../../../proxy/local/shape.js'
import { type Prepared, targetObject } from '../../../proxy/prepare.js'
import { deadlineOf } from '../../plugins/deadline.js'
import type { ProxyParts } from './proxy.js'

/** Has a target in this process answer, in the shape of the API that was called, as a stream where that was asked for. */
export async function answerLocally(
  { finder, targets, observer }: ProxyParts,
  shape: LocalShape,
  json: Buffer,
  prepared: Prepared,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const target = targetObject(targets, prepared.target)
  const options = localOptions(parsed(json))
  const answer = await localAnswer(finder, target, json, prepared, options, deadlineOf(request))
  observer.onReply(prepared.verdict, { prompt: answer.promptTokens, completion: answer.completionTokens })
  const { model, includeUsage } = options
  const id = randomUUID().replaceAll('-', '')
  const head = { id, created: Math.floor(Date.now() / 1000), model: model ?? target.name, includeUsage }
  if (!options.stream) return reply.type('application/json').send(shape.json(head, answer))
  return reply
    .header('cache-control', 'no-cache')
    .type('text/event-stream; charset=utf-8')
    .send(shape.stream(head, answer))
}

/** undefined where it is no JSON, which is then told as a wrong body. */
function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString())
  } catch {
    return undefined
  }
}
