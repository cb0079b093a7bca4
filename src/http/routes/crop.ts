import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import type { Engine } from '../../engine/engine.js'
import type { PictureOptions } from '../../image/picture.js'
import { findRegions } from '../../zoom/find.js'
import type { FindRegions, Zoom } from '../../zoom/zoom.js'
import { deadlineOf, untilAnswered } from '../plugins/deadline.js'
import { CROP_ERRORS, errorReplies, jsonReply } from '../reply/error-schema.js'
import { cropListReply, cropReply } from '../reply/region.js'
import { ANY_CROP_REPLY } from '../reply/schemas.js'
import { bodyReader } from '../request/body.js'
import { type Body, bodySchemas, contentOf, REQUEST_HEADERS } from '../request/body-schema.js'
import { type Input, readInput } from '../request/input.js'
import { type ANSWER_OPTIONS, CROP_OPTIONS } from '../request/options.js'

/** What a route that does work stands on. */
export interface Work {
  config: Config
  zoom: Zoom
}

/** `POST /crop`: the region of one image that helps to answer a question, or one for each of several. */
export function cropRoute(app: FastifyInstance, { config, zoom }: Work): void {
  const bodies = bodySchemas(CROP_OPTIONS, config.maxQuestionChars)
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
    {
      schema,
      config: { work: true },
      onRequest: refuseEarly(zoom.engine),
      preValidation: bodyReader(bodies, config),
    },
    untilAnswered(async (request, reply) => {
      const input = readInput(request.body, CROP_OPTIONS, config)
      const { questions, options } = input
      request.log.trace({ questions }, 'question')
      const pictures = { ...callerPictures(options), targetFull: null, targetCrop: null }
      const found = await findRegions(zoom, { ...wanted(input, request), questions, pictures })
      return options.questions
        ? cropListReply(found, questions, request.id, reply.elapsedTime)
        : cropReply(found, request.id, reply.elapsedTime)
    }),
  )
}

/** Before a byte of the body is read: under overload most of the work would be to receive what is refused. */
export function refuseEarly(engine: Engine): (request: FastifyRequest) => Promise<void> {
  return async request => engine.checkRoom(deadlineOf(request).deadline)
}

type ZoomInput = Input<typeof CROP_OPTIONS> | Input<typeof ANSWER_OPTIONS>

/** What every request for a region says. */
export function wanted(
  { image, options: { resolution, expand } }: ZoomInput,
  request: FastifyRequest,
): Omit<FindRegions, 'questions' | 'pictures'> {
  return { image, resolution, expand, ...deadlineOf(request) }
}

/** The pictures that the caller gets back. */
export function callerPictures({ return: returned, format, quality }: ZoomInput['options']): {
  crop: PictureOptions | null
  overlay: PictureOptions | null
} {
  const picture = { format, quality, longestEdge: null }
  return { crop: returned === 'crop' ? picture : null, overlay: returned === 'overlay' ? picture : null }
}
