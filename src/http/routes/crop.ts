import type { FastifyInstance } from 'fastify'
import { findRegions } from '../../zoom/find.js'
import { untilAnswered } from '../plugins/deadline.js'
import { CROP_ERRORS, errorReplies, jsonReply } from '../reply/error-schema.js'
import { cropListReply, cropReply } from '../reply/region.js'
import { ANY_CROP_REPLY } from '../reply/schemas.js'
import { type Body, bodySchemas, contentOf, REQUEST_HEADERS } from '../request/body-schema.js'
import { readInput } from '../request/input.js'
import { CROP_OPTIONS } from '../request/options.js'
import { callerPictures, type Work, wanted, workOptions } from './work.js'

/** `POST /crop`: the region of one image that helps to answer a question, or one for each of several. */
export function cropRoute(app: FastifyInstance, { config, zoom, links }: Work): void {
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
      ...workOptions(bodies, { config, zoom, links }),
    },
    untilAnswered(async (request, reply) => {
      const input = readInput(request.body, CROP_OPTIONS, config)
      const { questions, options } = input
      request.log.trace({ questions }, 'question')
      const pictures = { ...callerPictures(options), targetFull: null, targetCrop: null }
      const found = await findRegions(zoom, { ...wanted(input, request, config), view: null, questions, pictures })
      return options.questions
        ? cropListReply(found, questions, request.id, reply.elapsedTime)
        : cropReply(found, request.id, reply.elapsedTime)
    }),
  )
}
