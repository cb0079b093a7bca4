/**
 * The options of a request, each declared once: the schema is the type, the check, what a message says is expected,
 * and the documentation.
 */
import { type Static, type TOptional, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { Choice } from '../../config/schema.js'

/** The options as a route gets them: defaults filled in, null for what has no default and was not sent. */
export type Options<T extends TProperties> = {
  readonly [Key in keyof T]: T[Key] extends TOptional<TSchema> ? Static<T[Key]> | null : Static<T[Key]>
}

/** Most questions of one request. */
export const MAX_QUESTIONS = 32

const ZOOM_OPTIONS = {
  resolution: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 65_536,
      description:
        "Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own.",
    }),
  ),
  expand: Type.Number({
    minimum: 1,
    maximum: 10,
    default: 1,
    description: "Grows the box's area by this factor about its centre, clamped to the image.",
  }),
  return: Choice(['box', 'crop', 'overlay'], {
    default: 'box',
    description: 'What to return beside the box: the crop, or the image with the box drawn.',
  }),
  format: Choice(['jpeg', 'png', 'webp'], { default: 'jpeg', description: 'Format of a returned picture.' }),
  quality: Type.Integer({
    minimum: 1,
    maximum: 100,
    default: 90,
    description: 'Quality of a returned JPEG or WebP.',
  }),
}

const QUESTION_LIST = `a JSON array of 1 to ${MAX_QUESTIONS} texts`

export const CROP_OPTIONS = {
  questions: Type.Optional(
    Type.Array(Type.String({ pattern: '\\S', expected: QUESTION_LIST }), {
      minItems: 1,
      maxItems: MAX_QUESTIONS,
      expected: QUESTION_LIST,
      description:
        'Several questions about the image instead of `question`: the image is read once, and the reply has `results`, one for each. In a form: the field repeated, or a JSON array.',
    }),
  ),
  ...ZOOM_OPTIONS,
}

export const ANSWER_OPTIONS = {
  ...ZOOM_OPTIONS,
  target: Type.Optional(
    Type.String({
      minLength: 1,
      expected: 'a name',
      description: 'Name of a configured target; GET /info lists them. Default: the first.',
    }),
  ),
  mode: Choice(['zoom', 'full', 'crop'], {
    default: 'zoom',
    description: 'What the target sees: zoom is the full image and the crop, full has no crop, crop is the crop alone.',
  }),
  compare: Type.Boolean({ default: false, description: 'Also answer from the full image alone, and return both.' }),
  max_tokens: Type.Integer({
    minimum: 1,
    maximum: 4096,
    default: 64,
    description: 'Most tokens the target may answer with.',
  }),
  temperature: Type.Number({
    minimum: 0,
    maximum: 2,
    default: 0,
    description: "The target's sampling temperature; 0 is greedy.",
  }),
}
