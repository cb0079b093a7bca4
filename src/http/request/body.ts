/** The hook that makes one body object out of the two ways to send it, for Fastify to validate. */
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'
import { questionTooLong, unknownField } from './body-error.js'
import type { BodySchemas } from './body-schema.js'
import { type FormLimits, readForm } from './form.js'
import { bodyOf } from './form-fields.js'
import { MAX_QUESTIONS } from './options.js'

export type BodyLimits = Pick<Config, 'maxBodyBytes' | 'maxQuestionChars'>

/**
 * Makes a `preValidation` hook for a route with these bodies.
 * @throws CropVlmError body_too_large, invalid_body, invalid_option, missing_field, question_too_long, unknown_option,
 *   url_not_allowed
 */
export function bodyReader(
  { form: schema }: BodySchemas,
  limits: BodyLimits,
): (request: FastifyRequest) => Promise<void> {
  const formLimits: FormLimits = {
    maxBytes: limits.maxBodyBytes,
    maxTextBytes: maxTextBytes('questions' in schema.properties, limits.maxQuestionChars),
    checkName: name => {
      const unknown = unknownField(name, schema)
      if (unknown) throw unknown
    },
    mayRepeat: name => schema.properties[name]?.type === 'array',
  }
  return async request => {
    if (!request.isMultipart()) {
      request.body = withoutNulls(request.body)
      return
    }
    const form = await readForm(request, formLimits)
    if (form.truncated.has('question') || form.truncated.has('questions'))
      throw questionTooLong(limits.maxQuestionChars)
    request.body = bodyOf(form, schema)
  }
}

/** UTF-8 takes at most 4 bytes a character, of which JSON makes up to 12. */
function maxTextBytes(takesLists: boolean, maxQuestionChars: number): number {
  const bytes = takesLists ? MAX_QUESTIONS * (12 * maxQuestionChars + 8) : 4 * maxQuestionChars
  return bytes + 1024
}

/** In JSON, null for a field is as good as leaving it out. */
function withoutNulls(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CropVlmError('invalid_body', 'Send multipart/form-data, or a JSON object, with `image` and `question`.')
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
}
