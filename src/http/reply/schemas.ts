/** JSON Schemas of replies, by name: `/openapi.json` shows them, replies are written by them, and they are the types. */
import { type Static, type TUnsafe, Type } from '@sinclair/typebox'
import { ref } from '../../config/schema.js'

export const text = (description: string) => Type.String({ description })
export const integer = (description: string) => Type.Integer({ description })

/** A text or null. */
export function textOrNull(description: string): TUnsafe<string | null> {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], description })
}

/** An integer or null. */
export function integerOrNull(description: string): TUnsafe<number | null> {
  return Type.Unsafe<number | null>({ type: ['integer', 'null'], description })
}

const fourIntegers = (description: string) =>
  Type.Unsafe<readonly [number, number, number, number]>({
    type: 'array',
    items: { type: 'integer' },
    minItems: 4,
    maxItems: 4,
    description,
  })

const PICTURE = Type.Object(
  {
    media_type: text('image/jpeg, image/png or image/webp'),
    width: integer('Pixels.'),
    height: integer('Pixels.'),
    data: Type.String({ contentEncoding: 'base64', description: 'The file in base64.' }),
  },
  { $id: 'Picture', description: 'A picture that was asked for.' },
)

const SIZE = Type.Object(
  { width: integer('Pixels.'), height: integer('Pixels.') },
  { $id: 'Size', description: 'Of the image after EXIF orientation.' },
)

const CROPPER = Type.Object(
  {
    id: text('As in GET /info.'),
    resolution: integerOrNull('Longest edge in pixels the cropper saw; null where that means nothing.'),
    tiles: integerOrNull('Tiles the image was cut into; null where that means nothing.'),
  },
  { $id: 'Cropper', description: 'The model that gave the box.' },
)

const stages = {
  fetch: Type.Optional(Type.Number({ description: 'Fetching the image; only where it came from a link.' })),
  queue: Type.Number(),
  decode: Type.Number(),
  preprocess: Type.Number(),
  vision: Type.Number(),
  prefill: Type.Number(),
  generate: Type.Number(),
  crop: Type.Number(),
  detect: Type.Optional(
    Type.Number({ description: 'Finding the lines of text; only where the text reader was asked.' }),
  ),
  recognize: Type.Optional(Type.Number({ description: 'Reading them; only where the text reader was asked.' })),
  total: Type.Number(),
}
const MILLISECONDS = 'Milliseconds; total since the request arrived.'
const CROP_TIMINGS = Type.Object(stages, { $id: 'CropTimings', description: MILLISECONDS })
const ANSWER_TIMINGS = Type.Object(
  { ...stages, target: Type.Number() },
  { $id: 'AnswerTimings', description: MILLISECONDS },
)

const box = {
  bbox: fourIntegers('[x1, y1, x2, y2] in whole per cent of the image after EXIF orientation.'),
  bbox_pixels: fourIntegers('The same box in pixels: floor of the top-left, ceiling of the bottom-right.'),
}
const verdict = {
  decision: Type.Unsafe<'zoomed' | 'given' | 'fallback' | 'skipped'>({
    type: 'string',
    enum: ['zoomed', 'given', 'fallback', 'skipped'],
    description:
      "zoomed: the box is the cropper's. given: it is the request's own. fallback: there is no box to be used, and bbox is the whole image. skipped: by the rules of `zoom` the crop would not help.",
  }),
  reason: textOrNull(
    'Why: of a fallback no_box, out_of_range, empty_box or not_a_cropper, of the text cropper no_text or no_match; of what is skipped never, sees_all, low_confidence or whole_image. null where decision is zoomed or given.',
  ),
  would_skip: textOrNull(
    'Why zoom=auto skips, or would skip, this crop: never, sees_all, low_confidence or whole_image. null if it does not.',
  ),
  confidence: Type.Unsafe<number | null>({
    type: ['number', 'null'],
    minimum: 0,
    maximum: 1,
    description:
      'How sure the cropper is: of a model, exp of the mean log-probability of the tokens it chose freely. null where it cannot tell.',
  }),
  raw: text("The model's own text."),
  /** Only with return=crop: the region, cut from the original pixels. */
  crop: Type.Optional(ref(PICTURE)),
  /** Only with return=overlay: the image with the box drawn. */
  overlay: Type.Optional(ref(PICTURE)),
}

const REGION = Type.Object(
  { question: text('As it was sent.'), ...box, ...verdict },
  {
    $id: 'Region',
    description:
      'What was found for one question. crop is there with return=crop: the region, cut from the original pixels; overlay with return=overlay: the image with the box drawn.',
  },
)

const WARNINGS = Type.Array(Type.String(), {
  description: 'What to know about the models behind this reply, for a person to read; mostly empty.',
})
const REQUEST_ID = text('Also in the header x-request-id.')

export const CROP_REPLY = Type.Object(
  {
    object: Type.Literal('crop'),
    ...box,
    image: ref(SIZE),
    ...verdict,
    model: ref(CROPPER),
    timings_ms: ref(CROP_TIMINGS),
    warnings: WARNINGS,
    request_id: REQUEST_ID,
  },
  {
    $id: 'CropReply',
    description:
      'The region for `question`. crop is there with return=crop: the region, cut from the original pixels; overlay with return=overlay: the image with the box drawn.',
  },
)

export const CROP_LIST_REPLY = Type.Object(
  {
    object: Type.Literal('crop_list'),
    results: Type.Array(ref(REGION), { description: 'One for each of `questions`, in their order.' }),
    image: ref(SIZE),
    model: ref(CROPPER),
    timings_ms: ref(CROP_TIMINGS),
    warnings: WARNINGS,
    request_id: REQUEST_ID,
  },
  { $id: 'CropListReply', description: 'The regions for `questions`.' },
)

/** The reply of `/crop`: which of the two is told by `object`. */
export const ANY_CROP_REPLY = Type.Unsafe<Static<typeof CROP_REPLY> | Static<typeof CROP_LIST_REPLY>>({
  oneOf: [ref(CROP_REPLY), ref(CROP_LIST_REPLY)],
  discriminator: {
    propertyName: 'object',
    mapping: { crop: '#/components/schemas/CropReply', crop_list: '#/components/schemas/CropListReply' },
  },
})

const USAGE = Type.Object(
  { prompt_tokens: integer('Of the text and the images.'), completion_tokens: integer('Of the answer.') },
  { $id: 'Usage', description: 'Tokens as the target counted them.' },
)

const USAGE_OR_NULL = Type.Unsafe<Static<typeof USAGE> | null>({
  anyOf: [ref(USAGE), { type: 'null' }],
  description: 'null where the target reported none.',
})

const ANSWERED_BY = Type.Object(
  {
    name: text('The configured name.'),
    model: text('The model.'),
    usage: USAGE_OR_NULL,
  },
  { $id: 'AnsweredBy', description: 'The target that answered.' },
)

/** What a target said beside its answer. */
const said = {
  finish_reason: textOrNull(
    'Why the answer ends: stop; length where max_tokens cut it; another word of the target. null where it does not say.',
  ),
  refusal: textOrNull('The words with which the target declined; answer is empty then. null where it answered.'),
  reasoning: textOrNull(
    'What the target thought before it answered; never part of answer. null where it tells nothing.',
  ),
}

const COMPARISON = Type.Object(
  {
    answer: text('From the full image alone.'),
    ...said,
    agrees: Type.Boolean({ description: 'Whether both are the same but for case and a final full stop.' }),
    usage: USAGE_OR_NULL,
  },
  { $id: 'Comparison', description: 'The answer without the crop.' },
)

export const ANSWER_REPLY = Type.Object(
  {
    object: Type.Literal('answer'),
    ...box,
    image: ref(SIZE),
    ...verdict,
    model: ref(CROPPER),
    answer: text("The target's answer; empty where it refused."),
    ...said,
    target: ref(ANSWERED_BY),
    compare: Type.Optional(ref(COMPARISON)),
    timings_ms: ref(ANSWER_TIMINGS),
    warnings: WARNINGS,
    request_id: REQUEST_ID,
  },
  {
    $id: 'AnswerReply',
    description: 'The region and the answer. compare is there with compare=true; crop and overlay as in CropReply.',
  },
)

export const NAMED_REPLIES = [
  PICTURE,
  SIZE,
  CROPPER,
  CROP_TIMINGS,
  ANSWER_TIMINGS,
  REGION,
  CROP_REPLY,
  CROP_LIST_REPLY,
  USAGE,
  ANSWERED_BY,
  COMPARISON,
  ANSWER_REPLY,
]
