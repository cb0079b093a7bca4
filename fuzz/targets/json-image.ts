/** A JSON body as `/crop` reads it: its schema, then the image that it holds. */
import assert from 'node:assert/strict'
import { Ajv } from 'ajv'
import type { FastifyRequest } from 'fastify'
import type { ErrorCode } from '../../src/errors.js'
import { bodyReader } from '../../src/http/request/body.js'
import { bodyError, type SchemaError } from '../../src/http/request/body-error.js'
import { type Body, bodySchemas, IMAGE_LINK, IMAGE_SOURCE, IMAGE_URL } from '../../src/http/request/body-schema.js'
import { readInput } from '../../src/http/request/input.js'
import { CROP_OPTIONS } from '../../src/http/request/options.js'
import { AJV_OPTIONS } from '../../src/http/request/validation.js'
import { sniffImage } from '../../src/image/limits.js'
import { orCodedLater, type Target } from '../target.js'

const LIMITS = { maxBodyBytes: 1_000_000, maxQuestionChars: 2000, maxPixels: 1e8, maxAspect: 1000 }
const CODES: readonly ErrorCode[] = [
  'invalid_body',
  'missing_field',
  'unknown_option',
  'invalid_option',
  'question_too_long',
  'invalid_base64',
  'url_not_allowed',
  'unsupported_image_format',
  'image_too_large',
  'image_aspect_too_extreme',
  'image_undecodable',
]

const schemas = bodySchemas(CROP_OPTIONS, LIMITS.maxQuestionChars)
const validate = new Ajv({ ...AJV_OPTIONS, strict: false, schemas: [IMAGE_URL, IMAGE_SOURCE, IMAGE_LINK] }).compile<
  Body<typeof CROP_OPTIONS>
>(schemas.json)
const read = bodyReader(schemas, LIMITS)

const WORDS = [
  '"image"',
  '"image_url"',
  '"source"',
  '"data"',
  '"url"',
  '"question"',
  '"questions"',
  '"box"',
  'data:',
  ';base64,',
  'https://',
  '%2B',
]

export const target: Target = {
  isSync: false,
  maxLength: 4096,
  maxMs: 200,
  words: WORDS,
  async run(text) {
    const body = parsed(text)
    if (body === undefined) return
    await orCodedLater(CODES, async () => {
      // as much of Fastify's request as the hook looks at
      const request = { isMultipart: () => false, body } as FastifyRequest
      await read(request)
      const given: unknown = request.body
      if (!validate(given)) throw bodyError(validate.errors as SchemaError[])
      const { image, questions } = readInput(given, CROP_OPTIONS, LIMITS)
      assert.notEqual(sniffImage(image), null)
      assert.ok(questions.every(question => question.trim() !== ''))
      assert.equal(Buffer.from(image.toString('base64'), 'base64').equals(image), true)
    })
  },
}

function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString())
  } catch {
    return undefined
  }
}
