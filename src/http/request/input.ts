/** What a route works on, out of a validated body: the image's bytes, the questions, the options. */
import type { TProperties } from '@sinclair/typebox'
import type { Config } from '../../config/service.js'
import { type Box, boxProblem } from '../../contract/box.js'
import { stripped } from '../../contract/question.js'
import { CropVlmError } from '../../errors.js'
import { checkImage } from '../../image/limits.js'
import type { Body } from './body-schema.js'
import { readImageField } from './json-image.js'
import type { Options } from './options.js'

export interface Input<T extends TProperties> {
  /** The image file as it was sent: JPEG, PNG or WebP by content, within the limits by its header. */
  image: Buffer
  /** As they were sent; not blank. */
  questions: readonly [string, ...string[]]
  options: Options<T>
}

/**
 * Reads what the schema cannot check: the base64, the image's header, and that there is a question.
 * @param table The options of the route.
 * @throws CropVlmError missing_field, invalid_option, invalid_base64, url_not_allowed, unsupported_image_format,
 *   image_too_large, image_aspect_too_extreme, image_undecodable
 */
export function readInput<T extends TProperties>(
  body: Body<T>,
  table: T,
  limits: Pick<Config, 'maxPixels' | 'maxAspect'>,
): Input<T> {
  const questions = readQuestions(body)
  const image = Buffer.isBuffer(body.image) ? body.image : readImageField(body.image)
  checkImage(image, limits)
  const given: Record<string, unknown> = body
  const options = Object.keys(table).map(name => [name, given[name] ?? null])
  checkBox(given)
  return { image, questions, options: Object.fromEntries(options) as Options<T> }
}

/** The schema has seen to it that a box has four whole per cents. */
function checkBox({ box, zoom }: Record<string, unknown>): void {
  const problem = (message: string) => new CropVlmError('invalid_option', message, { param: 'box' })
  if (box === undefined || box === null) return
  if (boxProblem(box as Box) !== null)
    throw problem('`box` is empty: in [x1, y1, x2, y2], x2 must be over x1, and y2 over y1.')
  if (zoom === 'never') throw problem('`box` and zoom=never contradict each other; leave one of them out.')
}

function readQuestions({
  question,
  questions,
}: {
  question?: string
  questions?: unknown
}): readonly [string, ...string[]] {
  const [first, ...others] = (questions as string[] | undefined) ?? []
  if (first !== undefined && question !== undefined)
    throw new CropVlmError('invalid_option', 'Both `question` and `questions` were sent; send one of them.', {
      param: 'questions',
    })
  if (first !== undefined) return [notEmpty(first), ...others.map(notEmpty)]
  if (question !== undefined) return [notEmpty(question)]
  throw new CropVlmError('missing_field', '`question` is missing; send it as a text, or `questions` as a JSON array.', {
    param: 'question',
  })
}

/** The schema has refused what JavaScript takes for white space alone; there is more of it. */
function notEmpty(question: string): string {
  if (stripped(question) !== '') return question
  throw new CropVlmError('missing_field', '`question` is empty.', { param: 'question' })
}
