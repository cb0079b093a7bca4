/** One request shape out of the two ways to send it: multipart/form-data and application/json. */
import type { FastifyRequest } from 'fastify'
import type { Config } from '../config.js'
import { CropVlmError } from '../errors.js'
import { readImageField, refuseUrl } from './image-field.js'
import { checkImage } from './image-header.js'
import { type Form, readForm } from './multipart.js'
import {
  type ANSWER_OPTIONS,
  type CROP_OPTIONS,
  checkFieldName,
  type RawValue,
  readOptions,
  type Values,
} from './options.js'

type Options = typeof CROP_OPTIONS | typeof ANSWER_OPTIONS

export interface Input<T extends Options> {
  /** The image file as it was sent: JPEG, PNG or WebP by content, within the limits by its header. */
  image: Buffer
  /** As it was sent; not blank. */
  question: string
  options: Values<T>
}

type Limits = Pick<Config, 'maxBodyBytes' | 'maxPixels' | 'maxAspect' | 'maxQuestionChars'>

/**
 * Reads and checks the whole request, the image's header included.
 * @throws CropVlmError with every code of a bad request
 */
export async function readInput<T extends Options>(
  request: FastifyRequest,
  table: T,
  limits: Limits,
): Promise<Input<T>> {
  const { image, question, fields } = request.isMultipart()
    ? fromForm(await readForm(request, formLimits(table, limits)), limits)
    : fromJson(request.body, table, limits)
  const options = readOptions(table, fields)
  checkImage(image, limits)
  return { image, question, options }
}

interface Fields {
  image: Buffer
  question: string
  fields: Map<string, RawValue>
}

function formLimits(table: Options, { maxBodyBytes, maxQuestionChars }: Limits) {
  // UTF-8 takes at most 4 bytes a character
  return { maxBytes: maxBodyBytes, maxTextBytes: 4 * maxQuestionChars + 1024, checkName: nameCheck(table) }
}

function nameCheck(table: Options): (name: string) => void {
  return name => checkFieldName(name, table)
}

function fromForm({ image, texts, truncated }: Form, limits: Limits): Fields {
  const imageText = texts.get('image')
  if (imageText !== undefined) {
    refuseUrl(imageText)
    throw new CropVlmError(
      'invalid_option',
      '`image` was sent as text; send it as a file (curl: -F image=@page.jpg).',
      {
        param: 'image',
      },
    )
  }
  if (truncated.has('question')) throw tooLong(limits)
  const question = checkQuestion(texts.get('question'), limits)
  if (!image) throw missing('image', 'a JPEG, PNG or WebP file')
  if (image.length === 0) throw new CropVlmError('missing_field', 'The file in `image` is empty.', { param: 'image' })
  return { image, question, fields: new Map([...texts].map(([name, text]) => [name, { text }])) }
}

function fromJson(body: unknown, table: Options, limits: Limits): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CropVlmError('invalid_body', 'Send multipart/form-data, or a JSON object, with `image` and `question`.')
  const entries = Object.entries(body)
  for (const [name] of entries) checkFieldName(name, table)
  const { image, question } = body as { image?: unknown; question?: unknown }
  const checked = checkQuestion(question, limits)
  if (image === undefined || image === null) throw missing('image', 'a data URL or base64')
  return {
    image: readImageField(image),
    question: checked,
    fields: new Map(entries.map(([name, json]) => [name, { json }])),
  }
}

function checkQuestion(question: unknown, limits: Limits): string {
  if (question === undefined || question === null) throw missing('question', 'a text')
  if (typeof question !== 'string')
    throw new CropVlmError('invalid_option', '`question` must be a text.', { param: 'question' })
  if (question.trim() === '') throw new CropVlmError('missing_field', '`question` is empty.', { param: 'question' })
  // a character takes one or two UTF-16 units; longer texts are not worth counting
  const most = limits.maxQuestionChars
  if (question.length > 2 * most || (question.length > most && [...question].length > most)) throw tooLong(limits)
  return question
}

function missing(field: string, what: string): CropVlmError {
  return new CropVlmError('missing_field', `\`${field}\` is missing; send it as ${what}.`, { param: field })
}

function tooLong({ maxQuestionChars }: Limits): CropVlmError {
  return new CropVlmError(
    'question_too_long',
    `The question is longer than ${maxQuestionChars} characters; shorten it.`,
  )
}
