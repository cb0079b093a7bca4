import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ref } from '../../config/schema.js'
import type { Picture, Region } from '../../engine/protocol.js'
import { CropVlmError } from '../../errors.js'
import type { Target, TargetAnswer } from '../../target/targets.js'
import { type Caller, callerOf, untilAnswered } from '../plugins/deadline.js'
import type { Metrics, TargetOutcome } from '../plugins/metrics.js'
import { ANSWER_ERRORS, errorReplies, jsonReply } from '../reply/error-schema.js'
import { cropReply, firstRegion, type TargetPictures, tenth } from '../reply/region.js'
import { ANSWER_REPLY } from '../reply/schemas.js'
import { bodyReader } from '../request/body.js'
import { type Body, bodySchemas, contentOf, REQUEST_HEADERS } from '../request/body-schema.js'
import { type Input, readInput } from '../request/input.js'
import { ANSWER_OPTIONS } from '../request/options.js'
import { findCrop, refuseEarly, type Work } from './crop.js'

type AnswerInput = Input<typeof ANSWER_OPTIONS>

interface AnswerWork extends Work {
  targets: ReadonlyMap<string, Target>
}

/** `POST /answer`: all of `/crop`, then the full image and the crop go to a target VLM with the question. */
export function answerRoute(app: FastifyInstance, work: AnswerWork): void {
  const bodies = bodySchemas(ANSWER_OPTIONS, work.config.maxQuestionChars)
  const schema = {
    operationId: 'answer',
    tags: ['zoom'],
    summary: 'An answer from the full image and the region that helps',
    description:
      'Finds the region as /crop does, and asks a target VLM with the full image, the region and the question.',
    headers: REQUEST_HEADERS,
    body: contentOf(bodies),
    response: { 200: jsonReply('The region and the answer.', ref(ANSWER_REPLY)), ...errorReplies(ANSWER_ERRORS) },
  }
  app.post<{ Body: Body<typeof ANSWER_OPTIONS> }>(
    '/answer',
    { schema, onRequest: refuseEarly(work.engine), preValidation: bodyReader(bodies, work.config) },
    untilAnswered(async (request, reply): Promise<Static<typeof ANSWER_REPLY>> => {
      const input = readInput(request.body, ANSWER_OPTIONS, work.config)
      request.log.trace({ questions: input.questions }, 'question')
      const target = findTarget(work.targets, input.options.target)
      const found = await findCrop(work, input, pictures(target, input.options), callerOf(request))
      const crop = () => cropReply(found, request.id, reply.elapsedTime)
      const started = performance.now()
      try {
        const { main, compare } = await askBoth(target, firstRegion(found), input, callerOf(request), work.metrics)
        const targetMs = performance.now() - started
        work.metrics.observeStage('target', targetMs)
        const { timings_ms, request_id, ...region } = crop()
        return {
          ...region,
          object: 'answer',
          answer: main.text,
          target: { name: target.name, model: target.model, usage: usage(main) },
          ...(compare ? { compare: { answer: compare.text, agrees: same(main.text, compare.text) } } : {}),
          timings_ms: { ...timings_ms, target: tenth(targetMs) },
          request_id,
        }
      } catch (error) {
        throw withCrop(error, crop())
      }
    }),
  )
}

/** @throws CropVlmError `unknown_target` */
function findTarget(targets: ReadonlyMap<string, Target>, name: string | null): Target {
  const target = name === null ? targets.values().next().value : targets.get(name)
  if (target) return target
  throw new CropVlmError('unknown_target', `There is no such target; there are ${[...targets.keys()].join(', ')}.`)
}

/** What the engine has to encode for the target: shrunk JPEG for the network, the very pixels for a local model. */
function pictures(target: Target, { mode, compare }: AnswerInput['options']): TargetPictures {
  const encoding = target.local
    ? ({ format: 'png', quality: 100 } as const)
    : ({ format: 'jpeg', quality: 90 } as const)
  return {
    targetFull: mode === 'crop' && !compare ? null : { ...encoding, longestEdge: target.fullLongestEdge },
    targetCrop: mode === 'full' ? null : { ...encoding, longestEdge: target.cropLongestEdge },
  }
}

/** The answer, and beside it, at the same time, the one from the full image alone where it was asked for. */
async function askBoth(
  target: Target,
  { pictures: { targetFull, targetCrop } }: Region,
  { questions: [question], options }: AnswerInput,
  { signal, deadline }: Caller,
  metrics: Metrics,
): Promise<{ main: TargetAnswer; compare: TargetAnswer | null }> {
  // when one call fails, nobody waits for the other
  const failed = new AbortController()
  const ask = async (full: Picture | null, crop: Picture | null) => {
    const both = { signal: AbortSignal.any([signal, failed.signal]), deadline }
    const { max_tokens: maxTokens, temperature } = options
    try {
      return await measured(target, metrics, () =>
        target.answer({ full, crop, question, maxTokens, temperature, ...both }),
      )
    } catch (error) {
      failed.abort()
      throw error
    }
  }
  const main = ask(options.mode === 'crop' ? null : targetFull, targetCrop)
  if (!options.compare) return { main: await main, compare: null }
  // with mode full the answer is already the one without the crop
  const [first, second] = await Promise.all([main, options.mode === 'full' ? main : ask(targetFull, null)])
  return { main: first, compare: second }
}

async function measured(target: Target, metrics: Metrics, call: () => Promise<TargetAnswer>): Promise<TargetAnswer> {
  const { name } = target
  const stop = metrics.targetDuration.startTimer({ target: name })
  let outcome: TargetOutcome = 'failed'
  try {
    const answer = await call()
    outcome = 'ok'
    if (answer.usage) {
      metrics.targetTokens.inc({ target: name, type: 'prompt' }, answer.usage.promptTokens)
      metrics.targetTokens.inc({ target: name, type: 'completion' }, answer.usage.completionTokens)
    }
    return answer
  } catch (error) {
    const { code } = CropVlmError.from(error)
    if (code === 'request_aborted') outcome = 'aborted'
    if (code === 'target_timeout' || code === 'deadline_exceeded') outcome = 'timeout'
    throw error
  } finally {
    stop()
    metrics.targetRequests.inc({ target: name, outcome })
  }
}

/** The same error, carrying the box, so that no work is lost. */
function withCrop(error: unknown, crop: ReturnType<typeof cropReply>): CropVlmError {
  const { code, message, param, retryAfter, details } = CropVlmError.from(error)
  return new CropVlmError(code, message, {
    details: { ...details, crop },
    cause: error,
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

function usage({ usage }: TargetAnswer) {
  return usage && { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens }
}

/** Lower-case, stripped, one trailing "." removed: the reference code's way to compare answers. */
function same(one: string, other: string): boolean {
  const normal = (text: string) => text.trim().toLowerCase().replace(/\.$/, '')
  return normal(one) === normal(other)
}
