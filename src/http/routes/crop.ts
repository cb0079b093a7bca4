import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import type { Engine } from '../../engine/parent/client.js'
import type { CropResult } from '../../engine/protocol.js'
import { CropVlmError } from '../../errors.js'
import { type Caller, callerOf, untilAnswered } from '../plugins/deadline.js'
import type { Metrics } from '../plugins/metrics.js'
import { CROP_ERRORS, errorReplies, jsonReply } from '../reply/error-schema.js'
import { type CropInput, cropJob, cropListReply, cropReply, NO_TARGET, type TargetPictures } from '../reply/region.js'
import { ANY_CROP_REPLY } from '../reply/schemas.js'
import { bodyReader } from '../request/body.js'
import { type Body, bodySchemas, contentOf, REQUEST_HEADERS } from '../request/body-schema.js'
import { readInput } from '../request/input.js'
import { CROP_OPTIONS } from '../request/options.js'

/** What a route that does work stands on. */
export interface Work {
  config: Config
  engine: Engine
  metrics: Metrics
}

/** `POST /crop`: the region of one image that helps to answer a question, or one for each of several. */
export function cropRoute(app: FastifyInstance, work: Work): void {
  const bodies = bodySchemas(CROP_OPTIONS, work.config.maxQuestionChars)
  const schema = {
    operationId: 'crop',
    tags: ['zoom'],
    summary: 'The region of an image that helps to answer a question',
    description:
      'Finds the region for `question`, or one for each of `questions`. The reply to the one is a CropReply, to the other a CropListReply; `object` tells which.',
    headers: REQUEST_HEADERS,
    body: contentOf(bodies),
    response: { 200: jsonReply('The region, or a list of them.', ANY_CROP_REPLY), ...errorReplies(CROP_ERRORS) },
  }
  app.post<{ Body: Body<typeof CROP_OPTIONS> }>(
    '/crop',
    { schema, onRequest: refuseEarly(work.engine), preValidation: bodyReader(bodies, work.config) },
    untilAnswered(async (request, reply) => {
      const input = readInput(request.body, CROP_OPTIONS, work.config)
      const { questions, options } = input
      request.log.trace({ questions }, 'question')
      const result = await findCrop(work, input, NO_TARGET, callerOf(request))
      return options.questions
        ? cropListReply(result, questions, request.id, reply.elapsedTime)
        : cropReply(result, request.id, reply.elapsedTime)
    }),
  )
}

/** Before a byte of the body is read: under overload most of the work would be to receive what is refused. */
export function refuseEarly(engine: Engine): (request: FastifyRequest) => Promise<void> {
  return async request => engine.checkRoom(callerOf(request).deadline)
}

/**
 * The box, and the pictures asked for.
 * @throws CropVlmError what the engine throws
 */
export async function findCrop(
  { engine, metrics }: Work,
  input: CropInput,
  pictures: TargetPictures,
  { signal, deadline }: Caller,
): Promise<CropResult> {
  checkResolution(engine, input.options.resolution)
  const result = await engine.run(cropJob(input, pictures), { signal, deadline })
  metrics.observeCrop(result)
  return result
}

/** Known before the queue is waited for, once the model has loaded; until then the engine tells. */
function checkResolution(engine: Engine, resolution: number | null): void {
  const known = engine.info?.models.find(({ role }) => role === 'cropper')?.resolutions
  if (resolution === null || !known || known.includes(resolution)) return
  throw new CropVlmError(
    'unsupported_resolution',
    `The cropper has no resolution ${resolution}; it has ${known.join(', ')}.`,
  )
}
