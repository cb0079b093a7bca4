/** The schema of errors, and what each status means on the routes that do work. */
import { Type } from '@sinclair/typebox'
import { ref } from '../../config/schema.js'
import { CROP_REPLY, textOrNull } from './schemas.js'

export const ERROR_REPLY = Type.Object(
  {
    error: Type.Object({
      message: Type.String({ description: 'What is wrong and what to do.' }),
      type: Type.String({ description: "OpenAI's class of error." }),
      param: textOrNull('The field that is wrong.'),
      code: Type.String({ description: 'Stable, machine-readable.' }),
      source: Type.Unsafe<'gateway' | 'cropper' | 'target'>({
        type: 'string',
        enum: ['gateway', 'cropper', 'target'],
        description: 'Who failed.',
      }),
      details: Type.Optional(
        Type.Object(
          { crop: Type.Optional(ref(CROP_REPLY)) },
          {
            additionalProperties: true,
            description:
              "The upstream's status, its code and its reason, cleaned and cut; and, where a target failed, the whole reply of /crop as crop.",
          },
        ),
      ),
    }),
    request_id: Type.String({ description: 'Also in the header x-request-id.' }),
  },
  { $id: 'ErrorReply', description: 'What went wrong, in the envelope of OpenAI.' },
)

/** One reply in JSON. */
export function jsonReply(description: string, schema: object) {
  return { description, content: { 'application/json': { schema } } }
}

/** Error replies of a route by status. */
export function errorReplies(statuses: Record<number | string, string>) {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [status, jsonReply(description, ref(ERROR_REPLY))]),
  )
}

export const NO_KEY = { 401: 'The service has an API_KEY, and the bearer token is not it.' }

/** For routes that need nothing of the caller: what HTTP itself refuses. */
export const MALFORMED = { '4xx': 'The request is no well-formed HTTP.' }

export const CROP_ERRORS = {
  400: 'Malformed body, missing or empty field, unknown option, bad base64, too long a question.',
  ...NO_KEY,
  403: 'A URL that is not allowed.',
  413: 'Bytes, pixels or aspect over the limit.',
  415: 'Not JPEG, PNG or WebP by content, or a content type that is not read.',
  422: 'An image of an accepted format that cannot be decoded, or one that cannot be fetched from its link.',
  429: 'The queue is full; see Retry-After.',
  503: 'Loading, draining or the engine is being restarted; see Retry-After.',
  502: "The cropper's endpoint failed; Retry-After is there where it is not asked for now, because it failed again and again.",
  504: "The request's deadline passed, or the cropper's endpoint or the host of the image's link timed out.",
}

export const ANSWER_ERRORS = {
  ...CROP_ERRORS,
  502: "The cropper's endpoint failed; or the target did, and error.details.crop has the box. Retry-After is there where it is not asked for now, because it failed again and again.",
  504: "The request's deadline passed, or the cropper's endpoint, the host of the image's link or the target timed out; of a target, error.details.crop has the box.",
}
