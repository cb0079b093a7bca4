/**
 * The options of a request, each declared once: the schema is the type, the check, what a message says is expected,
 * and the documentation.
 */
import { type Static, type TOptional, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { Choice, expectedBy } from '../../config/schema.js'
import { EDGE } from '../../config/target/profile.js'
import type { Box } from '../../contract/box.js'

/** The options as a route gets them: defaults filled in, null for what has no default and was not sent. */
export type Options<T extends TProperties> = {
  readonly [Key in keyof T]: T[Key] extends TOptional<TSchema> ? Static<T[Key]> | null : Static<T[Key]>
}

/** Most questions of one request. */
export const MAX_QUESTIONS = 32

const BOX = 'four whole per cents x1, y1, x2, y2 from 0 to 100, with x2 over x1 and y2 over y1, like [12, 5, 80, 47]'

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
  zoom: Choice(['always', 'auto', 'never'], {
    default: 'always',
    description:
      'When the crop is used: always; auto leaves out one that would not help (the target sees every pixel anyway, the confidence is below ZOOM_MIN_CONFIDENCE, or the box covers nearly everything); never does not even look for a box.',
  }),
  box: Type.Optional(
    Type.Unsafe<Box>({
      type: 'array',
      items: { type: 'integer', minimum: 0, maximum: 100, expected: BOX },
      minItems: 4,
      maxItems: 4,
      expected:
        'four whole per cents x1, y1, x2, y2 from 0 to 100, with x2 over x1 and y2 over y1, like [12, 5, 80, 47]',
      description:
        'A region of your own, [x1, y1, x2, y2] in whole per cent of the image after EXIF orientation: it is used, and the cropper is not asked (decision is `given`). In a form: 12,5,80,47, a JSON array, or the field repeated.',
    }),
  ),
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

/** A number of pixels, or `original`. */
const edge = (description: string) =>
  Type.Optional(
    Type.Union([Type.Integer(EDGE), Type.Literal('original')], {
      expected: `${expectedBy(Type.Integer(EDGE))}, or original`,
      description,
    }),
  )

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
  full_edge: edge(
    "Longest edge in pixels of the full image as the target gets it, or original. Default: the target's, which GET /info has.",
  ),
  crop_edge: edge(
    "Longest edge in pixels to which the crop is shrunk or enlarged for the target, or original. Default: the target's.",
  ),
  compare_edge: edge(
    'With `compare`, longest edge in pixels of the full image that is compared with, or original. Default: `full_edge`.',
  ),
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
