/** JSON Schemas of requests and replies: `/openapi.json` shows them, and the 200 replies are written by them. */
import type { ANSWER_OPTIONS, CROP_OPTIONS } from '../request/options.js'

const text = (description: string) => ({ type: 'string', description })
const integer = (description: string) => ({ type: 'integer', description })
const orNull = (type: string, description: string) => ({ type: [type, 'null'], description })

function object(properties: Record<string, unknown>, optional: string[] = []) {
  return { type: 'object', properties, required: Object.keys(properties).filter(name => !optional.includes(name)) }
}

const fourIntegers = (description: string) => ({
  type: 'array',
  items: { type: 'integer' },
  minItems: 4,
  maxItems: 4,
  description,
})

const picture = (description: string) => ({
  ...object({
    media_type: text('image/jpeg, image/png or image/webp'),
    width: integer('Pixels.'),
    height: integer('Pixels.'),
    data: { type: 'string', contentEncoding: 'base64', description: 'The file.' },
  }),
  description,
})

const STAGES = ['queue', 'decode', 'preprocess', 'vision', 'prefill', 'generate', 'crop', 'total']
const timings = (stages: string[]) => ({
  ...object(Object.fromEntries(stages.map(stage => [stage, { type: 'number' }]))),
  description: 'Milliseconds; total since the request arrived.',
})

const regionProperties = {
  bbox: fourIntegers('[x1, y1, x2, y2] in whole per cent of the image after EXIF orientation.'),
  bbox_pixels: fourIntegers('The same box in pixels: floor of the top-left, ceiling of the bottom-right.'),
  decision: {
    type: 'string',
    enum: ['zoomed', 'fallback'],
    description: 'fallback: the model gave no valid box, and bbox is the whole image.',
  },
  reason: orNull('string', 'Why there is no valid box; null where decision is zoomed.'),
  confidence: {
    type: ['number', 'null'],
    minimum: 0,
    maximum: 1,
    description: 'exp of the mean log-probability of the tokens the model chose freely; null where it is not known.',
  },
  raw: text("The model's own text."),
  crop: picture('Only with return=crop: the region, cut from the original pixels.'),
  overlay: picture('Only with return=overlay: the image with the box drawn.'),
}

const sharedProperties = {
  image: {
    ...object({ width: integer('Pixels.'), height: integer('Pixels.') }),
    description: 'After EXIF orientation.',
  },
  model: object({
    id: text('As in GET /info.'),
    resolution: orNull('integer', 'Longest edge in pixels the cropper saw.'),
    tiles: orNull('integer', 'Tiles the image was cut into; null where the model is not ours.'),
  }),
  timings_ms: timings(STAGES),
  request_id: text('Also in the header x-request-id.'),
}

const { bbox, bbox_pixels, ...verdict } = regionProperties
const { image, model, ...rest } = sharedProperties
/** In the order of the reply. */
const cropProperties = { bbox, bbox_pixels, image, ...verdict, model, ...rest }

const usage = {
  type: ['object', 'null'],
  properties: { prompt_tokens: { type: 'integer' }, completion_tokens: { type: 'integer' } },
  required: ['prompt_tokens', 'completion_tokens'],
  description: 'As the target reported it; null where it did not.',
}

const listed = object({ question: text('As it was sent.'), ...regionProperties }, ['crop', 'overlay'])

export const CROP_REPLY = {
  description: 'The region; of `questions`, a list of them.',
  anyOf: [
    object(cropProperties, ['crop', 'overlay']),
    object({
      results: { type: 'array', items: listed, description: 'One for each of `questions`, in their order.' },
      ...sharedProperties,
    }),
  ],
}

export const ANSWER_REPLY = {
  description: 'The region and the answer.',
  ...object(
    {
      ...cropProperties,
      answer: text("The target's answer."),
      target: object({ name: text('The configured name.'), model: text('The model.'), usage }),
      compare: {
        ...object({
          answer: text('From the full image alone.'),
          agrees: { type: 'boolean', description: 'Whether both are the same but for case and a final full stop.' },
        }),
        description: 'Only with compare=true.',
      },
      timings_ms: timings([...STAGES, 'target']),
    },
    ['crop', 'overlay', 'compare'],
  ),
}

const ERROR_REPLY = {
  ...object({
    error: object(
      {
        message: text('What is wrong and what to do.'),
        type: text("OpenAI's class of error."),
        param: orNull('string', 'The field that is wrong.'),
        code: text('Stable, machine-readable.'),
        source: { type: 'string', enum: ['gateway', 'cropper', 'target'], description: 'Who failed.' },
        details: {
          type: 'object',
          additionalProperties: true,
          description: "The upstream's status; and, where a target failed, the whole reply of /crop as `crop`.",
        },
      },
      ['details'],
    ),
    request_id: text('Also in the header x-request-id.'),
  }),
}

/** Statuses that every route which does work can answer. */
export function errorReplies(statuses: Record<number, string>) {
  return Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [status, { description, ...ERROR_REPLY }]),
  )
}

export const CROP_ERRORS = {
  400: 'Malformed body, missing or empty field, unknown option, bad base64, too long a question.',
  401: 'The service has an API_KEY, and the bearer token is not it.',
  403: 'A URL that is not allowed.',
  413: 'Bytes, pixels or aspect over the limit.',
  415: 'Not JPEG, PNG or WebP by content, or a content type that is not read.',
  422: 'An image of an accepted format that cannot be decoded.',
  429: 'The queue is full; see Retry-After.',
  503: 'Loading, draining or the engine is being restarted; see Retry-After.',
  504: "The request's deadline passed.",
}

export const ANSWER_ERRORS = {
  ...CROP_ERRORS,
  502: 'The target failed; error.details.crop has the box.',
  504: "The request's deadline passed, or the target timed out; then error.details.crop has the box.",
}

type Table = typeof CROP_OPTIONS | typeof ANSWER_OPTIONS

/** The body of a route as both content types it reads. */
export function requestBody(table: Table, maxQuestionChars: number) {
  const options = Object.fromEntries(Object.entries(table).map(([name, { schema }]) => [name, schema]))
  const question = { type: 'string', minLength: 1, maxLength: maxQuestionChars, description: 'About the image.' }
  const body = (file: Record<string, unknown>) => ({
    schema: {
      type: 'object',
      properties: { image: file, question, ...options },
      ...('questions' in table
        ? { required: ['image'], oneOf: [{ required: ['question'] }, { required: ['questions'] }] }
        : { required: ['image', 'question'] }),
      additionalProperties: false,
    },
  })
  return {
    content: {
      'multipart/form-data': body({ type: 'string', format: 'binary', description: 'A JPEG, PNG or WebP file.' }),
      'application/json': body({
        description:
          'A JPEG, PNG or WebP file as a data URL or as base64; {"image_url": {"url": ...}} around it is read too. ' +
          'Send files of several megabytes as multipart/form-data instead: it is read as it arrives, while a long JSON ' +
          'text is parsed in one go, and other requests wait for that.',
        anyOf: [
          { type: 'string' },
          {
            type: 'object',
            properties: { image_url: { type: 'object', properties: { url: { type: 'string' } }, required: ['url'] } },
            required: ['image_url'],
          },
        ],
      }),
    },
  }
}
