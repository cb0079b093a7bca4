import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { ref } from '../../config/schema.js'
import { CropVlmError } from '../../errors.js'
import type { Target, TargetAnswer } from '../../target/target.js'
import { answerZoomed, isSameAnswer, UnansweredError } from '../../zoom/answer.js'
import type { FoundRegions } from '../../zoom/zoom.js'
import { untilAnswered } from '../plugins/deadline.js'
import { ANSWER_ERRORS, errorReplies, jsonReply } from '../reply/error-schema.js'
import { cropReply, tenth } from '../reply/region.js'
import { ANSWER_REPLY } from '../reply/schemas.js'
import { type Body, bodySchemas, contentOf, REQUEST_HEADERS } from '../request/body-schema.js'
import { readInput } from '../request/input.js'
import { ANSWER_OPTIONS } from '../request/options.js'
import { callerPictures, type Work, wanted, workOptions } from './work.js'

interface AnswerWork extends Work {
  targets: ReadonlyMap<string, Target>
}

/** `POST /answer`: all of `/crop`, then the full image and the crop go to a target VLM with the question. */
export function answerRoute(app: FastifyInstance, { config, zoom, links, targets }: AnswerWork): void {
  const bodies = bodySchemas(ANSWER_OPTIONS, config.maxQuestionChars)
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
    {
      schema,
      ...workOptions(bodies, { config, zoom, links }),
    },
    untilAnswered(async (request, reply): Promise<Static<typeof ANSWER_REPLY>> => {
      const input = readInput(request.body, ANSWER_OPTIONS, config)
      const { questions, options } = input
      request.log.trace({ questions }, 'question')
      const target = findTarget(targets, options.target)
      const crop = (found: FoundRegions) => cropReply(found, request.id, reply.elapsedTime)
      try {
        const { found, answer, compare, targetMs } = await answerZoomed(zoom, {
          ...wanted(input, request, config),
          question: questions[0],
          pictures: callerPictures(options),
          target,
          mode: options.mode,
          compare: options.compare,
          edges: { full: options.full_edge, crop: options.crop_edge, compare: options.compare_edge },
          maxTokens: options.max_tokens,
          temperature: options.temperature,
        })
        const { timings_ms, warnings, request_id, ...region } = crop(found)
        return {
          ...region,
          object: 'answer',
          ...said(answer),
          target: { name: target.name, model: target.model, usage: usage(answer) },
          ...(compare ? { compare: comparison(answer, compare) } : {}),
          timings_ms: { ...timings_ms, target: tenth(targetMs) },
          warnings: [...warnings, ...target.warnings],
          request_id,
        }
      } catch (error) {
        throw error instanceof UnansweredError ? withCrop(error, crop(error.found)) : error
      }
    }),
  )
}

/** @throws CropVlmError unknown_target */
function findTarget(targets: ReadonlyMap<string, Target>, name: string | null): Target {
  const target = name === null ? targets.values().next().value : targets.get(name)
  if (target) return target
  throw new CropVlmError('unknown_target', `There is no such target; there are ${[...targets.keys()].join(', ')}.`)
}

/** The target's error, carrying the box, so that no work is lost. */
function withCrop({ cause }: UnansweredError, crop: ReturnType<typeof cropReply>): CropVlmError {
  const { code, message, param, retryAfter, details } = CropVlmError.from(cause)
  return new CropVlmError(code, message, {
    details: { ...details, crop },
    cause,
    ...(param === undefined ? {} : { param }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  })
}

function comparison(answer: TargetAnswer, compare: TargetAnswer) {
  return { ...said(compare), agrees: isSameAnswer(answer.text, compare.text), usage: usage(compare) }
}

function said({ text, finishReason, refusal, reasoning }: TargetAnswer) {
  return { answer: text, finish_reason: finishReason, refusal, reasoning }
}

function usage({ usage }: TargetAnswer) {
  return usage && { prompt_tokens: usage.promptTokens, completion_tokens: usage.completionTokens }
}
