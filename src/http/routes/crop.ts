import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import type { Engine } from '../../engine/engine.js'
import type { PictureOptions } from '../../image/picture.js'
import { findRegions } from '../../zoom/find.js'
import type { FindRegions, Zoom } from '../../zoom/zoom.js'
import { deadlineOf, untilAnswered } from '../plugins/deadline.js'
import { cropListReply, cropReply } from '../reply/region.js'
import { CROP_ERRORS, CROP_REPLY, errorReplies, requestBody } from '../reply/schemas.js'
import { type Input, readInput } from '../request/input.js'
import { type ANSWER_OPTIONS, CROP_OPTIONS } from '../request/options.js'

/** What a route that does work stands on. */
export interface Work {
  config: Config
  zoom: Zoom
}

/** `POST /crop`: the region of one image that helps to answer a question, or one for each of several. */
export function cropRoute(app: FastifyInstance, { config, zoom }: Work): void {
  const schema = {
    summary: 'The region of an image that helps to answer a question',
    body: requestBody(CROP_OPTIONS, config.maxQuestionChars),
    response: { 200: CROP_REPLY, ...errorReplies(CROP_ERRORS) },
  }
  app.post(
    '/crop',
    { schema, config: { work: true }, onRequest: refuseEarly(zoom.engine) },
    untilAnswered(async (request, reply) => {
      const input = await readInput(request, CROP_OPTIONS, config)
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
