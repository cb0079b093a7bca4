/** One request shape out of the two ways to send it: multipart/form-data and application/json. */
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'
import { checkImage } from '../../image/limits.js'
import { type Form, readForm } from './form.js'
import { readImageField, refuseUrl } from './json-image.js'
import {
  type ANSWER_OPTIONS,
  type CROP_OPTIONS,
  checkFieldName,
  MOST_QUESTIONS,
  type RawValue,
  readOptions,
  type Values,
} from './options.js'

type Options = typeof CROP_OPTIONS | typeof ANSWER_OPTIONS

export interface Input<T extends Options> {
  /** The image file as it was sent: JPEG, PNG or WebP by content, within the limits by its header. */
  image: Buffer
  /** As they were sent; not blank. */
  questions: readonly [string, ...string[]]
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
    : fromJson(request.body, table)
  const options = readOptions(table, fields)
  const list = 'questions' in options ? (options.questions as Values<typeof CROP_OPTIONS>['questions']) : undefined
  const questions = readQuestions(question, list, limits)
  checkImage(image, limits)
  return { image, questions, options }
}

interface Fields {
  image: Buffer
  question: unknown
  fields: Map<string, RawValue>
}

function formLimits(table: Options, { maxBodyBytes, maxQuestionChars }: Limits) {
  // UTF-8 takes at most 4 bytes a character, of which JSON makes up to 12
  const maxTextBytes = 'questions' in table ? MOST_QUESTIONS * (12 * maxQuestionChars + 8) : 4 * maxQuestionChars
  return { maxBytes: maxBodyBytes, maxTextBytes: maxTextBytes + 1024, checkName: nameCheck(table) }
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
  if (truncated.has('question') || truncated.has('questions')) throw tooLong(limits)
  if (!image) throw missing('image', 'a JPEG, PNG or WebP file')
  if (image.length === 0) throw new CropVlmError('missing_field', 'The file in `image` is empty.', { param: 'image' })
  return { image, question: texts.get('question'), fields: new Map([...texts].map(([name, text]) => [name, { text }])) }
}

function fromJson(body: unknown, table: Options): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CropVlmError('invalid_body', 'Send multipart/form-data, or a JSON object, with `image` and `question`.')
  const entries = Object.entries(body)
  for (const [name] of entries) checkFieldName(name, table)
  const { image, question } = body as { image?: unknown; question?: unknown }
  if (image === undefined || image === null) throw missing('image', 'a data URL or base64')
  return {
    image: readImageField(image),
    question,
    fields: new Map(entries.map(([name, json]) => [name, { json }])),
  }
}

/** @param list null: `questions` could be sent, but was not; undefined: the route does not take it. */
function readQuestions(
  question: unknown,
  list: readonly string[] | null | undefined,
  limits: Limits,
): readonly [string, ...string[]] {
  const isGiven = question !== undefined && question !== null
  const [first, ...others] = list ?? []
  if (first === undefined) {
    if (!isGiven) throw missing('question', list === null ? 'a text, or `questions` as a JSON array' : 'a text')
    return [checkQuestion(question, limits)]
  }
  if (isGiven)
    throw new CropVlmError('invalid_option', 'Both `question` and `questions` were sent; send one of them.', {
      param: 'questions',
    })
  return [checkQuestion(first, limits), ...others.map(other => checkQuestion(other, limits))]
}

function checkQuestion(question: unknown, limits: Limits): string {
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
